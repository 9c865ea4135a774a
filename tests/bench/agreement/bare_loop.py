"""A bare loop around one call, as anybody would write it: nothing of the runner's."""

from time import perf_counter, perf_counter_ns


def bare(call, arguments, seconds, least):
    """Call in turn with each argument for some seconds, and at least so often.

    Returns:
        The latencies, nanoseconds.
    """
    times = []
    begin = perf_counter()
    while perf_counter() - begin < seconds or len(times) < least:
        argument = arguments[len(times) % len(arguments)]
        start = perf_counter_ns()
        call(argument)
        end = perf_counter_ns()
        times.append(end - start)
    return times
