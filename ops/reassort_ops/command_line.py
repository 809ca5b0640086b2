"""The command line itself: help pages and usage errors in the language of the run, none of them in
Typer's own words.
"""

from __future__ import annotations

import gettext
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import getdoc
from typing import Any, Literal

import typer

# Typer shows its errors in English, and exports of their classes the base alone.
from typer._click import exceptions as faults
from typer._click.core import Command
from typer.core import TyperCommand, TyperGroup

from reassort_ops import language
from reassort_ops.language import paragraphs, tr

# Typer asks gettext for some of its words.
os.environ["LANGUAGE"] = language.LANGUAGE
gettext.bindtextdomain(language.DOMAIN, language.FOLDER)
gettext.textdomain(language.DOMAIN)

# Boxes are for people; a pipe or a log gets plain text.
LOOK: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None


class UnknownWordsError(faults.UsageError):
    """What stands where nothing, or the name of a command, is expected."""

    def __init__(self, ctx: Any, words: Sequence[str], near: Sequence[str] = ()) -> None:
        super().__init__(" ".join(words), ctx)
        self.near = near


class _Page(Command):
    """What all help pages share: they are in the language of the run."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for param in self.params:
            _name_values(param)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how it is called."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=tr("Usage: "))

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option --help."""
        option: Any = super().get_help_option(ctx)
        if option is not None:
            option.help = tr("Show this page")
            _name_values(option)
        return option


class HelpPage(_Page, TyperCommand):
    """The help page of a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what was typed; refuse what is too much."""
        ctx.allow_extra_args = True
        with _page_of_faults(ctx):
            rest = super().parse_args(ctx, args)
        if rest:
            raise UnknownWordsError(ctx, rest)
        return rest


class GroupPage(_Page, TyperGroup):
    """The help page of a group of commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what was typed before the command."""
        with _page_of_faults(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; tell of one that does not exist which is near."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownWordsError(ctx, args[:1], get_close_matches(args[0], self.commands))
        return super().resolve_command(ctx, args)


def _name_values(param: Any) -> None:
    """Name what a parameter takes by its own word alone, never by the type that Python has for
    it.
    """
    if param.param_type_name == "argument" or param.is_flag:
        param.display_type_rich = lambda **_: None
    else:
        choices = param.type_descriptor.choices
        param.metavar = param.metavar or ("|".join(map(_shown, choices)) if choices else "N")


def _shown(choice: Any) -> str:
    return str(getattr(choice, "value", choice))


@contextmanager
def _page_of_faults(ctx: Any) -> Iterator[None]:
    """Say of each fault to which command it belongs: Typer does so of some."""
    try:
        yield
    except faults.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


class Commands(typer.Typer):
    """A group of commands; the docstring of each is its help, and is translated as such."""

    def __init__(self, *, help: str, epilog: str, cls: type[TyperGroup] = GroupPage, **more: Any) -> None:  # noqa: A002
        super().__init__(
            cls=cls,
            no_args_is_help=True,
            add_completion=False,
            rich_markup_mode=LOOK,
            pretty_exceptions_enable=False,
            options_metavar=tr("[OPTIONS]"),
            subcommand_metavar=tr("COMMAND [ARGS]..."),
            help=help,
            epilog=epilog,
            **more,
        )

    def add[**P, R](self, name: str, *, epilog: str, **more: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Make a command of a function, under this name and with these examples."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            text = tr(paragraphs(getdoc(function) or ""))
            metavar = tr("[OPTIONS]")
            self.command(name, cls=HelpPage, help=text, epilog=epilog, options_metavar=metavar, **more)(function)
            return function

        return decorate


def with_language_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with --lang before the command, where it belongs to the whole; it may be
    typed after it.
    """
    asked = language.named_language(arguments)
    if asked is None:
        return list(arguments)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    others, skip = list[str](), False
    for argument in arguments[:end]:
        if not skip and argument != language.OPTION and not argument.startswith(f"{language.OPTION}="):
            others.append(argument)
        skip = not skip and argument == language.OPTION
    return [f"{language.OPTION}={asked}", *others, *arguments[end:]]


def usage_fault(error: faults.ClickException) -> str:
    """Say in one line what is wrong with what was typed, and where it is explained."""
    ctx = getattr(error, "ctx", None)
    page = "reassort" if ctx is None else ctx.command_path
    return tr("{fault}; see {page} --help", fault=_fault(error), page=page)


def _fault(error: faults.ClickException) -> str:
    match error:
        case faults.NoSuchOption():
            return tr("there is no option {name}", name=error.option_name) + _perhaps(error.possibilities)
        case faults.BadOptionUsage(ctx=ctx):
            params: list[Any] = list(ctx.command.params) if ctx else []
            if any(error.option_name in param.opts and param.is_flag for param in params if hasattr(param, "is_flag")):
                return tr("{name} takes no value", name=error.option_name)
            return tr("{name} needs a value", name=error.option_name)
        case faults.MissingParameter(param=param) if param is not None:
            return tr("{name} is missing", name=_name(param))
        case faults.BadParameter(param=param) if param is not None:
            return tr("{name} takes {expected}", name=_name(param), expected=_expected(param))
        case UnknownWordsError():
            return tr("{words} is not understood here", words=error.message) + _perhaps(error.near)
        case _:
            return tr("a command is missing here")


def _perhaps(near: Sequence[str] | None) -> str:
    return tr(" (perhaps {near})", near=", ".join(sorted(near))) if near else ""


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name)
    return "/".join(param.opts)


def _expected(param: Any) -> str:
    """Say what a parameter takes."""
    kind = param.type_descriptor
    least, most = kind.parameter_info.min, kind.parameter_info.max
    if kind.choices:
        return tr("one of {choices}", choices=", ".join(map(_shown, kind.choices)))
    if kind.annotation not in (int, float):
        return tr("another value")
    if least is not None and most is not None:
        return tr("a number from {least} to {most}", least=least, most=most)
    if least is not None:
        return tr("a number of at least {least}", least=least)
    return tr("a number")
