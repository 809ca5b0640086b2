"""Why a file cannot be read or written: the cause and the way out, in one line and not in the words
of the system.
"""

from __future__ import annotations

import errno

from reassort_ops.language import Text, filled, tr

_WHY = {
    errno.ENOENT: tr("{name}: No such file or directory; check the path"),
    errno.EACCES: tr("{name}: may not be read or written; check its rights"),
    errno.EPERM: tr("{name}: may not be read or written; check its rights"),
    errno.EROFS: tr("{name}: lies where nothing can be written; choose another folder"),
    errno.EEXIST: tr("{name}: is there already; choose another name"),
    errno.EISDIR: tr("{name}: is a folder; name a file"),
    errno.ENOTDIR: tr("{name}: leads through a file; check the path"),
    errno.ENOSPC: tr("{name}: the disk is full; make room, then run the same command again"),
    errno.ENAMETOOLONG: tr("{name}: the name is too long; choose a shorter one"),
}
_OTHER = tr("{name}: the system refuses it ({number}); choose another file")


def system_fault(error: OSError) -> str:
    """Say what went wrong, and what to do."""
    if error.errno is None and error.args and isinstance(error.args[0], Text):
        return error.args[0]
    number = errno.errorcode.get(error.errno or 0, "?")
    name = error.filename if isinstance(error.filename, str) else tr("a file")
    return filled(_WHY.get(error.errno or 0, _OTHER), name=name, number=number)
