from __future__ import annotations

from collections.abc import Sequence

import pytest

from atoll.errors import BadInput
from atoll.serving.admission import Admission
from atoll.serving.errors import ModelFailed, Overloaded
from atoll.serving.metrics import Metrics
from atoll.serving.queue import Lane, TokenQueue
from atoll.serving.runner import Runner


class FakeModel:
    """Doubles numbers; refuses the ones it was told to."""

    def __init__(self, broken: Sequence[int] = (), error: Exception | None = None) -> None:
        self._broken = broken
        self._error = error or RuntimeError("kernel")
        self.batches: list[list[int]] = []

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.batches.append(list(batch))
        if set(batch) & set(self._broken):
            raise self._error
        return [2 * number for number in batch]


def serving(model, *, workers: int = 1, metrics: Metrics | None = None):
    waiting = TokenQueue[int, int](
        limits_tokens={Lane.DOCUMENT: 10_000, Lane.QUERY: 1_000}, batch_tokens=100, workers=workers, clock=lambda: 5.0
    )
    runner = Runner(
        queue=waiting, run=model, workers=workers, metrics=metrics or Metrics(lambda: 7.0), clock=lambda: 7.0
    )
    return waiting, runner


def test_threads_answer_every_job_and_stop_when_the_queue_is_empty():
    model = FakeModel()
    waiting, runner = serving(model, workers=2)
    jobs = [waiting.submit([(number, 10) for number in range(20)], Lane.DOCUMENT) for _ in range(5)]
    runner.start()
    assert runner.stop(timeout_seconds=10)
    assert [job.outcome(0) for job in jobs] == [[2 * number for number in range(20)]] * 5


@pytest.mark.parametrize("error", [RuntimeError("kernel"), BadInput("not finite")])
def test_a_failing_forward_pass_ends_its_jobs_and_the_thread_goes_on(error):
    model = FakeModel(broken=[13], error=error)
    waiting, runner = serving(model)
    broken = waiting.submit([(13, 100)], Lane.DOCUMENT)
    sound = waiting.submit([(1, 10)], Lane.DOCUMENT)
    runner.start()
    assert runner.stop(timeout_seconds=10)
    with pytest.raises((ModelFailed, BadInput)):
        broken.outcome(0)
    assert sound.outcome(0) == [2]


def test_a_model_that_loses_an_input_is_a_failure():
    waiting, runner = serving(lambda batch: [1])
    job = waiting.submit([(1, 10), (2, 10)], Lane.DOCUMENT)
    batch = waiting.poll()
    assert batch is not None
    runner.step(batch)
    with pytest.raises(ModelFailed, match="1 results for 2"):
        job.outcome(0)


def test_metrics_tell_queue_time_batch_sizes_and_depth():
    metrics = Metrics(lambda: 7.0)
    waiting, runner = serving(FakeModel(), metrics=metrics)
    metrics.watch_queue("document", lambda: waiting.waiting_tokens(Lane.DOCUMENT))
    waiting.submit([(1, 30), (2, 25)], Lane.DOCUMENT)
    assert b'atoll_model_queue_tokens{lane="document"} 55.0' in metrics.render()
    batch = waiting.poll()
    assert batch is not None
    runner.step(batch)
    text = metrics.render().decode()
    assert 'atoll_model_phase_seconds_sum{phase="queue"} 2.0' in text
    assert 'atoll_model_phase_seconds_count{phase="run"} 1.0' in text
    assert "atoll_model_batch_items_sum 2.0" in text
    assert "atoll_model_batch_tokens_sum 60.0" in text
    assert 'atoll_model_queue_tokens{lane="document"} 0.0' in text


def test_each_lane_has_places_of_its_own_and_gives_them_back():
    admission = Admission({Lane.QUERY: 1, Lane.DOCUMENT: 2}, lambda lane: 3.0)
    with admission.slot(Lane.DOCUMENT), admission.slot(Lane.DOCUMENT):
        with pytest.raises(Overloaded) as refusal, admission.slot(Lane.DOCUMENT):
            pass
        assert refusal.value.retry_after_seconds == 3.0
        with admission.slot(Lane.QUERY):
            pass
    with pytest.raises(ZeroDivisionError), admission.slot(Lane.DOCUMENT):
        _ = 1 / 0
    with admission.slot(Lane.DOCUMENT), admission.slot(Lane.DOCUMENT):
        pass
