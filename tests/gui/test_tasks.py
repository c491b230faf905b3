import asyncio
import threading
from concurrent.futures import Executor, Future

from PySide6.QtCore import QObject, Signal

from evdesk.domain.errors import UserError
from evdesk.gui.tasks import Lane, Latest, Tasks


class Receiver(QObject):
    got = Signal(object)

    def __init__(self):
        super().__init__()
        self.results = []
        self.thread_name = ""

    def take(self, result):
        self.results.append(result)
        self.thread_name = threading.current_thread().name
        self.got.emit(result)


def test_work_runs_elsewhere_and_its_result_arrives_on_the_gui_thread(tasks, qtbot):
    receiver = Receiver()
    with qtbot.waitSignal(receiver.got):
        tasks.run(lambda: threading.current_thread().name, receiver.take)
    assert receiver.results[0].startswith("evdesk-database")
    assert receiver.thread_name == threading.main_thread().name


def test_database_jobs_are_served_one_by_one_and_in_order(tasks, qtbot):
    receiver = Receiver()
    for number in range(50):
        tasks.run(lambda n=number: n, receiver.take)
    qtbot.waitUntil(lambda: len(receiver.results) == 50)
    assert receiver.results == list(range(50))


def test_an_error_goes_where_it_is_wanted_or_to_the_window(tasks, qtbot):
    receiver = Receiver()

    def refuse():
        raise UserError("No {what}.", what="way")

    with qtbot.waitSignal(receiver.got):
        tasks.run(refuse, receiver.take, receiver.take)
    with qtbot.waitSignal(tasks.failed) as signal:
        tasks.run(refuse, receiver.take)
    assert str(receiver.results[0]) == str(signal.args[0]) == "No way."


def test_a_bug_is_logged_with_its_traceback(tasks, qtbot, expected_log):
    expected_log("a job failed")
    with qtbot.waitSignal(tasks.failed) as signal:
        tasks.run(lambda: 1 / 0, print)
    assert isinstance(signal.args[0], ZeroDivisionError)


def test_a_coroutine_has_an_event_loop_of_its_own(tasks, qtbot):
    receiver = Receiver()

    async def probe():
        await asyncio.sleep(0)
        return "answer"

    with qtbot.waitSignal(receiver.got):
        tasks.run_async(probe, receiver.take)
    assert receiver.results == ["answer"]


def test_a_result_for_a_page_that_is_gone_is_dropped(tasks, qtbot):
    gate, receiver, after = threading.Event(), Receiver(), Receiver()
    take = receiver.take
    tasks.run(gate.wait, take)
    receiver.deleteLater()
    qtbot.waitSignal(receiver.destroyed).wait()
    gate.set()
    with qtbot.waitSignal(after.got):
        tasks.run(lambda: "later", after.take)
    assert after.results == ["later"]


def test_stopping_leaves_no_thread(qapp):
    before = set(threading.enumerate())
    tasks = Tasks()
    for lane in Lane:
        tasks.run(lambda: None, print, lane=lane)
    tasks.stop()
    tasks.run(lambda: None, print)
    assert set(threading.enumerate()) <= before


class Counter(QObject):
    ticked = Signal(bool)

    def __init__(self):
        super().__init__()
        self.count = 0
        self.ticked.connect(self.take)

    def take(self, ticked):
        self.count += ticked


def test_five_thousand_signals_survive(qapp):
    """PySide 6.12.0 on Python 3.11 drops a reference to True at each and aborts after some 560."""
    counter = Counter()
    for _ in range(5_000):
        counter.ticked.emit(True)
    assert counter.count == 5_000


class AtOnce(Executor):
    """Does each job before it returns, as a fast worker may."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future[object] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_a_job_that_is_done_at_once_never_calls_back_from_within_run(qapp, qtbot):
    receiver, tasks = Receiver(), Tasks(lanes={Lane.DATABASE: AtOnce()})
    tasks.run(lambda: "at once", receiver.take)
    assert receiver.results == []
    qtbot.waitUntil(lambda: receiver.results == ["at once"])
    tasks.stop()


def test_what_is_asked_for_while_a_read_runs_is_read_once_more(tasks, qtbot):
    going, parent = threading.Event(), QObject()
    reads: list[int] = []
    shown: list[int] = []

    def begin():
        number = len(reads) + 1
        reads.append(number)
        return lambda: (going.wait(5), number)[1]

    latest = Latest(tasks, begin, shown.append, print, parent)
    for _ in range(3):
        latest.ask()
    going.set()
    qtbot.waitUntil(lambda: shown == [1, 2])
    latest.ask()
    qtbot.waitUntil(lambda: shown == [1, 2, 3])


def test_a_read_that_fails_is_told_and_the_next_one_goes_on(tasks, qtbot, expected_log):
    expected_log("a job failed")
    parent = QObject()
    failures: list[Exception] = []
    shown: list[object] = []
    works = [lambda: 1 // 0, lambda: "read"]
    latest = Latest(tasks, lambda: works.pop(0), shown.append, failures.append, parent)
    latest.ask()
    latest.ask()
    qtbot.waitUntil(lambda: shown == ["read"])
    assert isinstance(failures[0], ZeroDivisionError)
