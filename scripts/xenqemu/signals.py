# SPDX-License-Identifier: ISC
"""How a program ends by a signal: like by Ctrl-C, once."""

import contextlib
import signal
import sys
import threading

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def uninterrupted():
    """Signals that would end the program are ignored meanwhile. Only the main thread sees them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _interrupt(*_):
    raise KeyboardInterrupt


def interruptible(main, interrupted=None):
    """main(), with all that would end the program as a KeyboardInterrupt. When it has cleaned up after one, others are
    ignored: they would only interrupt Python's own end. Returns what main() returns, or 130."""
    for number in ENDS[1:]:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        return main()
    except KeyboardInterrupt:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        if interrupted:
            print(interrupted, file=sys.stderr)
        return 130
