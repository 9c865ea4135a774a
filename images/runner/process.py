"""One process as the kernel accounts for it, from `/proc/<pid>`: see `proc_pid_status(5)` and `proc_pid_io(5)`."""

from __future__ import annotations

from runner.cgroup import parse_list, read_table, read_text

KIB = 1024


def status(pid: int | str = "self") -> dict[str, int | None]:
    """Peak and current resident bytes and the number of threads."""
    fields: dict[str, int] = {}
    for line in (read_text(f"/proc/{pid}/status") or "").splitlines():
        name, _, rest = line.partition(":")
        value = rest.split()
        if value and value[0].isdigit():
            fields[name] = int(value[0]) * (KIB if value[-1] == "kB" else 1)
    return {
        "rss_peak_bytes": fields.get("VmHWM"),
        "rss_anon_bytes": fields.get("RssAnon"),
        "rss_file_bytes": fields.get("RssFile"),
        "threads": fields.get("Threads"),
    }


def memory_nodes() -> list[int] | None:
    """NUMA nodes whose memory this process may use; `None` where the kernel does not tell."""
    for line in (read_text("/proc/self/status") or "").splitlines():
        name, _, rest = line.partition(":")
        if name == "Mems_allowed_list":
            return parse_list(rest)
    return None


def read_bytes(pid: int | str = "self") -> int | None:
    """Bytes that the process caused to be fetched from storage so far, page faults included."""
    return read_table(f"/proc/{pid}/io").get("read_bytes:")


def reset_peak() -> None:
    """Set this process's VmHWM back to what is resident now, so that each phase has its own peak.

    `5` is the value that `proc_pid_clear_refs(5)` gives for it; a kernel without it leaves the peak cumulative.
    """
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        return


def volunteer_for_oom() -> None:
    """Make this process the kernel's first choice, so that the supervisor lives to tell.

    Raising one's own score needs no privilege.
    """
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
