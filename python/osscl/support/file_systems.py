"""Which file system a path lies on: on those of a network, neither locks nor notices can be relied on."""

import os
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OF_NETWORKS = frozenset(
    {
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    }
)
_LOCAL_FUSE = frozenset({"fuseblk", "fuse.lxcfs", "fuse.overlayfs", "fuse.fuse-overlayfs"})


def network_file_system(path: str | os.PathLike[str], mounts: Path = _MOUNTS) -> str | None:
    """Name the file system of a network that a path lies on.

    Parameters
    ----------
    path : path-like
        File or folder; its folder counts where it is not there yet.
    mounts : Path
        The kernel's list of what is mounted where, as proc_pid_mountinfo(5) writes it.

    Returns
    -------
    str or None
        Such as "nfs4" or "fuse.sshfs"; None on a local disk, or where the system keeps no such list.
    """
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    real = Path(os.path.realpath(path))
    found, longest = None, -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or not kind:
            continue
        place = Path(_unescaped(fields[4]))
        # of two mounts at one place the later one is seen
        if real.is_relative_to(place) and len(place.parts) >= longest:
            found, longest = kind[0], len(place.parts)
    return found if found is not None and _is_of_network(found) else None


def _is_of_network(kind: str) -> bool:
    return kind not in _LOCAL_FUSE and (kind in _OF_NETWORKS or kind.partition(".")[0] == "fuse")


def _unescaped(place: str) -> str:
    """Spaces, tabs, line ends and backslashes stand as octal numbers in the list."""
    for code in ("040", "011", "012", "134"):
        place = place.replace(f"\\{code}", chr(int(code, 8)))
    return place
