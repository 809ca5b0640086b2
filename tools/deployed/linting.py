"""From a check of the deployed template to the matches of a rule of cfn-lint."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

from cfnlint.decode import decode
from cfnlint.rules import RuleMatch
from cfnlint.template import Template

from deployed import scenarios
from deployed.nested import whole
from deployed.stack import FilledTemplate, Json
from deployed.translation import included, translated


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule says, and where in the template."""

    path: tuple[str | int, ...]
    message: str


class Deployed:
    """A template file with its nested stacks, translated and filled in; made once for all rules."""

    def __init__(self, template: Json, folder: Path) -> None:
        self.written = template
        self.folder = folder
        self.source = included(whole(template, folder, _decoded), folder)
        self.deployments: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
        """Logical ids of an API's deployments under given values, once they were translated."""

    def code_of(self, function: str) -> Path | None:
        """Return the folder of a function's code, by its logical id, as it is before `sam build`;
        None where the template has none.
        """
        properties = self.written.get("Resources", {}).get(function, {}).get("Properties", {})
        folder = properties.get("CodeUri")
        return self.folder / folder if isinstance(folder, str) and (self.folder / folder).is_dir() else None

    @cached_property
    def translation(self) -> Json:
        """SAM's translation under the defaults of the parameters."""
        return translated(self.source, {})

    @cached_property
    def source_stacks(self) -> list[FilledTemplate]:
        """The stacks to look at before SAM translates them."""
        return scenarios.stacks(self.source)

    @cached_property
    def stacks(self) -> list[FilledTemplate]:
        """The stacks to look at: see `deployed.scenarios`."""
        return scenarios.stacks(self.translation)


def deployed(cfn: Template) -> Deployed:
    """Return the template that cfn-lint looks at, as AWS sees it.

    cfn-lint hands over its own translation, without the API document; the file is read again for
    that. A template that comes as text, as from `sam validate --lint`, is taken as cfn-lint has it.
    """
    if cfn not in _READ:
        path = Path(cfn.filename) if cfn.filename else None
        template = decode(str(path))[0] if path and path.is_file() else cfn.template
        _READ[cfn] = Deployed(template, path.parent if path else Path())
    return _READ[cfn]


_READ: WeakKeyDictionary[Template, Deployed] = WeakKeyDictionary()


def in_each_stack(cfn: Template, check: Callable[[FilledTemplate], Iterable[Fault]]) -> list[RuleMatch]:
    """Return what a check finds in any of the stacks that the template can become, each fault
    once.
    """
    return findings(cfn, lambda template: dict.fromkeys(fault for stack in template.stacks for fault in check(stack)))


def findings(cfn: Template, check: Callable[[Deployed], Iterable[Fault]]) -> list[RuleMatch]:
    """Return what a check finds in the template.

    What stands in a nested one has no place here, and is named instead. Nothing is found in a
    template that says `PartOf` in its metadata: it is looked at with its root, which gives it its
    values.
    """
    if "PartOf" in (deployed(cfn).written.get("Metadata") or {}):
        return []
    written = deployed(cfn).written.get("Resources", {})
    return [
        RuleMatch(list(fault.path), fault.message)
        if fault.path[:1] != ("Resources",) or not fault.path[1:] or fault.path[1] in written
        else RuleMatch(["Resources"], f"{fault.path[1]}: {fault.message}")
        for fault in check(deployed(cfn))
    ]


def _decoded(path: Path) -> Json:
    return decode(str(path))[0]
