"""A connection whose client has nothing more to say while its request is in work."""

from __future__ import annotations

import socket
import threading

import pytest

from atoll.serving.server import _Channel


def test_the_end_of_a_stream_whose_answer_another_thread_has_just_finished_sends_nothing():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = _Channel.__new__(_Channel)
        channel.socket, channel.requests = ours, []
        channel.outbuf_lock, channel.total_outbufs_len = threading.Condition(), 0
        channel._ask_for_a_reset()
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing was sent
            theirs.recv(1)
