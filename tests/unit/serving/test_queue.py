from __future__ import annotations

import threading

import pytest

from atoll.errors import BadInput
from atoll.serving.errors import ClientGone, ModelFailed, Overloaded, TookTooLong, Unready
from atoll.serving.queue import MOST_RETRY_SECONDS, QUERY_RUN, Batch, Job, Lane, TokenQueue


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Somebody who may hang up."""

    def __init__(self) -> None:
        self.gone = False

    def __call__(self) -> bool:
        return self.gone


def queue(*, document: int = 10_000, query: int = 1_000, batch: int = 100, workers: int = 1, drops=None):
    drops = drops if drops is not None else []
    return TokenQueue[str, str](
        limits_tokens={Lane.DOCUMENT: document, Lane.QUERY: query},
        batch_tokens=batch,
        workers=workers,
        clock=Clock(),
        on_drop=lambda: drops.append("dropped"),
    )


def texts(*lengths: int, name: str = "t") -> list[tuple[str, int]]:
    return [(f"{name}{at}", length) for at, length in enumerate(lengths)]


def run(batch: Batch[str, str] | None) -> list[str]:
    assert batch is not None
    return [entry.payload for entry in batch.entries]


def work_off(waiting: TokenQueue[str, str], most: int = 1000) -> list[Batch[str, str]]:
    batches = []
    for _ in range(most):
        batch = waiting.poll()
        if batch is None:
            return batches
        waiting.complete(batch, [entry.payload.upper() for entry in batch.entries], seconds=0.01)
        batches.append(batch)
    raise AssertionError("the queue never ran empty")


def test_results_come_back_in_the_order_of_the_request():
    waiting = queue(batch=100)
    job = waiting.submit(texts(30, 5, 70, 12, 55), Lane.DOCUMENT)
    work_off(waiting)
    assert job.outcome(0) == ["T0", "T1", "T2", "T3", "T4"]
    assert waiting.waiting_tokens(Lane.DOCUMENT) == 0


def test_a_job_may_span_batches_and_a_batch_jobs_sorted_by_length_within_the_budget():
    waiting = queue(batch=200)
    jobs = [waiting.submit(texts(50, 20, 40, name=name), Lane.DOCUMENT) for name in "abc"]
    batches = work_off(waiting)
    assert len(batches) < 9
    assert any(len(batch.jobs) > 1 for batch in batches)
    for batch in batches:
        sizes = [entry.tokens for entry in batch.entries]
        assert sizes == sorted(sizes, reverse=True)
        assert batch.padded_tokens <= 200
    assert [job.outcome(0) for job in jobs] == [[f"{name}{at}".upper() for at in range(3)] for name in "ABC"]


def test_a_lane_is_full_by_tokens_not_by_count():
    waiting = queue(document=300)
    waiting.submit(texts(*[1] * 200), Lane.DOCUMENT)
    waiting.submit(texts(100), Lane.DOCUMENT)
    with pytest.raises(Overloaded) as refusal:
        waiting.submit(texts(1), Lane.DOCUMENT)
    assert refusal.value.retry_after_seconds >= 1
    assert waiting.waiting_tokens(Lane.DOCUMENT) == 300


def test_a_full_document_lane_does_not_refuse_queries():
    waiting = queue(document=100, query=100)
    waiting.submit(texts(100), Lane.DOCUMENT)
    waiting.submit(texts(12), Lane.QUERY)


def test_room_comes_back_as_batches_are_taken():
    waiting = queue(document=100, batch=100)
    waiting.submit(texts(100), Lane.DOCUMENT)
    assert waiting.poll() is not None
    waiting.submit(texts(100), Lane.DOCUMENT)


def test_a_request_that_never_fits_is_bad_input_not_overload():
    with pytest.raises(BadInput, match="split"):
        queue(document=100).submit(texts(60, 60), Lane.DOCUMENT)


def test_retry_after_grows_with_what_waits_and_is_bounded():
    waiting = queue(document=10**9, batch=10**9)
    assert waiting.retry_after_seconds(Lane.DOCUMENT) == 1
    waiting.submit(texts(100_000), Lane.DOCUMENT)
    assert 1 < waiting.retry_after_seconds(Lane.DOCUMENT) < MOST_RETRY_SECONDS
    waiting.submit(texts(10**8), Lane.DOCUMENT)
    assert waiting.retry_after_seconds(Lane.DOCUMENT) == MOST_RETRY_SECONDS


def test_retry_after_follows_the_measured_pace():
    def after(seconds: float) -> float:
        waiting = queue(document=10**6, batch=1000)
        waiting.submit(texts(*[1000] * 100), Lane.DOCUMENT)
        for _ in range(50):
            batch = waiting.poll()
            assert batch is not None
            waiting.complete(batch, ["x"] * len(batch.entries), seconds=seconds)
        return waiting.retry_after_seconds(Lane.DOCUMENT)

    assert after(0.2) < after(2.0)


def test_queries_go_first():
    waiting = queue()
    waiting.submit(texts(50, name="document"), Lane.DOCUMENT)
    waiting.submit(texts(10, name="query"), Lane.QUERY)
    assert run(waiting.poll()) == ["query0"]
    assert run(waiting.poll()) == ["document0"]


def test_documents_are_not_starved_by_an_endless_stream_of_queries():
    waiting = queue()
    waiting.submit(texts(50), Lane.DOCUMENT)
    lanes = []
    for _ in range(3 * (QUERY_RUN + 1)):
        waiting.submit(texts(60), Lane.QUERY)
        if len(lanes) == QUERY_RUN + 1:
            waiting.submit(texts(50), Lane.DOCUMENT)
        batch = waiting.poll()
        assert batch is not None
        lanes.append(batch.lane)
    assert lanes[: QUERY_RUN + 1] == [Lane.QUERY] * QUERY_RUN + [Lane.DOCUMENT]
    assert lanes.count(Lane.DOCUMENT) == 2


def test_the_oldest_job_is_never_passed_over_by_better_fitting_ones():
    waiting = queue(batch=100)
    old = waiting.submit(texts(90), Lane.DOCUMENT)
    for _ in range(20):
        waiting.submit(texts(10, 10, 10, 10), Lane.DOCUMENT)
    batch = waiting.poll()
    assert batch is not None
    assert old in batch.jobs


def test_lanes_are_never_mixed_in_a_batch():
    waiting = queue()
    waiting.submit(texts(10), Lane.QUERY)
    waiting.submit(texts(10), Lane.DOCUMENT)
    assert all(len({entry.job.lane for entry in batch.entries}) == 1 for batch in work_off(waiting))


def test_little_work_is_shared_by_the_workers_that_are_free():
    waiting = queue(batch=4096, workers=2)
    waiting.submit(texts(*[60] * 10), Lane.DOCUMENT)
    first, second = waiting.poll(), waiting.poll()
    assert first is not None
    assert second is not None
    assert (len(first.entries), len(second.entries)) == (5, 5)


def test_work_of_clients_that_went_away_costs_nothing():
    drops: list[str] = []
    waiting = queue(drops=drops)
    leaving, staying = Client(), Client()
    left = waiting.submit(texts(30, 30), Lane.DOCUMENT, abandoned=leaving)
    stayed = waiting.submit(texts(20, 20), Lane.DOCUMENT, abandoned=staying)
    leaving.gone = True
    batches = work_off(waiting)
    assert [entry.tokens for batch in batches for entry in batch.entries] == [20, 20]
    assert stayed.outcome(0) == ["T0", "T1"]
    with pytest.raises(ClientGone):
        left.outcome(0)
    assert drops == ["dropped"]
    assert waiting.waiting_tokens(Lane.DOCUMENT) == 0


def test_a_client_that_left_in_the_middle_of_the_queue_is_not_batched_and_its_thread_is_free_at_once():
    waiting = queue(batch=20)
    leaving = Client()
    waiting.submit(texts(20, 20, name="stays"), Lane.DOCUMENT)
    left = waiting.submit(texts(20, name="left"), Lane.DOCUMENT, abandoned=leaving)
    leaving.gone = True
    first = waiting.poll()
    assert run(first) == ["stays1"]
    with pytest.raises(ClientGone):
        left.outcome(0)
    assert run(waiting.poll()) == ["stays0"]
    assert waiting.poll() is None


def test_abandoned_work_makes_room_for_the_living():
    waiting = queue(document=100)
    leaving = Client()
    waiting.submit(texts(10), Lane.DOCUMENT)
    waiting.submit(texts(90), Lane.DOCUMENT, abandoned=leaving)
    leaving.gone = True
    waiting.submit(texts(90), Lane.DOCUMENT)


def test_a_failure_ends_the_jobs_of_its_batch_and_no_others():
    waiting = queue(batch=100)
    broken = waiting.submit(texts(100, 90), Lane.DOCUMENT)
    sound = waiting.submit(texts(10), Lane.DOCUMENT)
    batch = waiting.poll()
    assert batch is not None
    assert batch.jobs == [broken]
    waiting.fail(batch, ModelFailed("no"))
    assert waiting.waiting_tokens(Lane.DOCUMENT) == 10
    work_off(waiting)
    with pytest.raises(ModelFailed):
        broken.outcome(0)
    assert sound.outcome(0) == ["T0"]


def test_a_job_nobody_waits_for_any_longer_is_dropped():
    waiting = queue()
    job = waiting.submit(texts(10), Lane.DOCUMENT)
    with pytest.raises(TookTooLong):
        job.outcome(0)
    assert waiting.poll() is None


def test_a_closed_queue_takes_nothing_works_off_what_waits_and_lets_its_takers_go():
    waiting = queue()
    job = waiting.submit(texts(10), Lane.DOCUMENT)
    waiting.close()
    with pytest.raises(Unready):
        waiting.submit(texts(10), Lane.DOCUMENT)
    batch = waiting.take()
    assert batch is not None
    waiting.complete(batch, ["done"], seconds=0.1)
    assert job.outcome(0) == ["done"]
    assert waiting.take() is None


def test_a_waiting_taker_wakes_for_work_and_for_the_end():
    waiting = queue()
    taken: list[Batch[str, str] | None] = []

    def taker() -> None:
        taken.append(waiting.take())
        taken.append(waiting.take())

    thread = threading.Thread(target=taker)
    thread.start()
    waiting.submit(texts(10), Lane.DOCUMENT)
    waiting.close()
    thread.join(5)
    assert not thread.is_alive()
    assert run(taken[0]) == ["t0"]
    assert taken[1] is None


def test_jobs_are_told_apart_by_identity():
    first, second = (Job[str, str](Lane.QUERY, 0.0, lambda: False) for _ in range(2))
    assert first != second
