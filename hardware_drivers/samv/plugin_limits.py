"""Takes its own rights away, then becomes the maker's program. Run by path, standard library only.

`python -I plugin_limits.py MEMORY_BYTES CPU_SECONDS PROGRAM [ARGUMENT ...]`
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
OPEN_FILES = 64  # an interpreter and its libraries open about twenty
NOT_STARTED = 127  # what shells answer for a program that is not there


def main() -> None:
    """Set the limits and run the program in this process."""
    memory_bytes, cpu_s, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),  # a portrait must not be left in a file
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        resource.setrlimit(limit, (most, most))
    try:
        os.execv(program[0], program)  # noqa: S606  # the operator's own list of words, no shell
    except OSError:
        os._exit(NOT_STARTED)


if __name__ == "__main__":
    main()
