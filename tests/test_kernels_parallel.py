"""What only compiled, threaded kernels can get wrong: threads, forks, layers, the disk cache.

A threading layer is chosen once in a process, and a wrong one ends the process: so most of
these tests run in a process of their own.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import timeit
from pathlib import Path

import numpy as np
import pytest

numba = pytest.importorskip("numba")

import convlab  # noqa: E402
from convlab.kernels.parallel import launch  # noqa: E402

# Every operation, on more rows than threads; prints a digest of each result's bytes.
WORK = """
import hashlib, sys, threading
import numpy as np, numba, convlab
from convlab.kernels.parallel import launch

launch.WORK_PER_THREAD = 1  # all threads, for however little work
rng = np.random.default_rng(0)
x, dy = (rng.normal(size=(2, 33, 70, 6)).astype("float32") for _ in range(2))
dense, deep = (rng.normal(size=(3, 3, c, 6)).astype("float32") for c in (6, 1))

def results():
    options = {"padding": "same", "implementation": "parallel"}
    for kernel, groups in ((dense, 1), (deep, 6)):
        yield convlab.conv2d(x, kernel, groups=groups, **options)
        yield convlab.conv2d_input_gradient(dy, kernel, x.shape, groups=groups, **options)
        yield convlab.conv2d_kernel_gradient(x, dy, kernel.shape, groups=groups, **options)
    options["strides"] = 1
    yield convlab.max_pool2d(x, 3, **options)
    yield convlab.max_pool2d_gradient(x, dy, 3, **options)
    yield convlab.average_pool2d(x, 3, **options)
    yield convlab.average_pool2d_gradient(dy, x.shape, 3, **options)

def digest():
    return hashlib.sha256(b"".join(result.tobytes() for result in results())).hexdigest()
"""


def run(code, **environment):
    """Run the work and then the code in a new process; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", WORK + textwrap.dedent(code)],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def run_script(folder, code):
    """The same from a file, which new processes of its own can import."""
    script = folder / "script.py"
    script.write_text(WORK + textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def layers():
    """The threading layers that load here (TBB needs a package, OpenMP a library)."""
    found = ["workqueue"]
    for layer, module in (("omp", "omppool"), ("tbb", "tbbpool")):
        try:
            __import__(f"numba.np.ufunc.{module}")
        except ImportError:
            continue
        found.append(layer)
    return found


def test_results_do_not_depend_on_the_number_of_threads():
    digests = run(
        """
        for threads in (1, 2, 4):
            numba.set_num_threads(threads)
            print(digest())
            assert numba.get_num_threads() == threads
        """,
        NUMBA_NUM_THREADS="4",
    )
    assert len(digests) == 3
    assert len(set(digests)) == 1


@pytest.mark.parametrize("layer", layers())
def test_python_threads_may_call_at_once(layer):
    """Numba's "workqueue" ends a process that two threads enter; the lock keeps them apart."""
    used, alone, *together = run(
        """
        alone, together = digest(), []
        threads = [
            threading.Thread(target=lambda: together.extend(digest() for _ in range(20)))
            for _ in range(4)
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(numba.threading_layer(), alone, *together)
        """,
        NUMBA_THREADING_LAYER=layer,
        NUMBA_NUM_THREADS="4",
    )
    assert used == layer
    assert len(together) == 80
    assert set(together) == {alone}


STORM = """
import os, signal, sys, time, warnings
warnings.simplefilter("ignore")
right, wrong, calls, stop = digest(), [], [], threading.Event()

def check():
    calls.append(digest() == right)

def keep_checking():
    while not stop.is_set():
        check()

def fork_a_few():
    for _ in range(6):
        child = os.fork()
        if not child:
            signal.alarm(60)  # a child that hangs dies of it
            calls.clear()
            threads = [threading.Thread(target=check) for _ in range(2)]
            for thread in threads: thread.start()
            check()
            for thread in threads: thread.join()
            os._exit(0 if calls == [True] * 3 else 1)
        if os.waitpid(child, 0)[1]:
            wrong.append(child)

threads = [threading.Thread(target=keep_checking) for _ in range(3)]
threads += [threading.Thread(target=fork_a_few)]
for thread in threads: thread.start()
fork_a_few()
threads[-1].join()
stop.set()
for thread in threads: thread.join()
calls, right = min(len(calls), 10), all(calls) and not wrong
print("layer:", numba.threading_layer(), "calls:", calls, "right:", right)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks are safe on Linux alone")
@pytest.mark.parametrize("layer", layers())
def test_threads_that_call_while_others_fork_and_children_that_call(layer):
    """Locks of Numba, of llvmlite and of its threading layers must not stay closed in a child.

    TBB says on stdout what it thinks of forks.
    """
    words = run(STORM, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="4")
    assert " ".join((f"layer: {layer}", "calls: 10", "right: True")) in " ".join(words)


FORK = """
import os, warnings
warnings.simplefilter("ignore")  # newer Pythons warn of forks beside threads: that is the point
def in_a_child(work):
    child = os.fork()
    if not child:
        try:
            print(work(), flush=True)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""
forks = pytest.mark.skipif(sys.platform != "linux", reason="forks are safe on Linux alone")


@forks
def test_forked_child_computes_even_where_a_thread_of_its_parent_held_the_lock():
    """Under "workqueue", which survives a fork. The lock's owner does not live in the child."""
    alone, child = run(
        FORK
        + """
print(digest(), flush=True)
held, done = threading.Event(), threading.Event()
def hold():
    with launch._gate.lock:
        launch._gate.leader = thread
        held.set()
        done.wait()
        launch._gate.leader = None
thread = threading.Thread(target=hold)
thread.start()
held.wait()
in_a_child(digest)
done.set()
thread.join()
""",
        NUMBA_THREADING_LAYER="workqueue",
    )
    assert child == alone


@forks
def test_child_forked_before_the_first_call_computes():
    child, alone = run(FORK + "in_a_child(digest)\nprint(digest())")
    assert child == alone


@forks
@pytest.mark.skipif("omp" not in layers(), reason="OpenMP is not here")
def test_child_forked_after_openmp_works_alone():
    """Numba would end the child with a signal, and a pool of workers would wait for ever."""
    code = FORK + "print(digest(), flush=True)\nin_a_child(digest)\nprint(digest())"
    alone, child, after = run(code, NUMBA_THREADING_LAYER="omp")
    assert child == alone == after


@forks
def test_workers_of_a_pool_compute_whether_forked_or_spawned(tmp_path):
    """`multiprocessing`, as Dask and joblib use it; the parent has computed before."""
    digests = run_script(
        tmp_path,
        """
        import multiprocessing, warnings
        warnings.simplefilter("ignore")
        def work(_):
            return digest()
        if __name__ == "__main__":
            print(digest())
            for method in ("fork", "spawn", "forkserver"):
                with multiprocessing.get_context(method).Pool(2) as pool:
                    print(*pool.map(work, range(2)))
        """,
    )
    assert len(digests) == 7
    assert len(set(digests)) == 1


def test_a_crew_within_a_crew_computes():
    """Threads of a pool, each of which starts threads of its own."""
    digests = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        def nested(_):
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(lambda _: digest(), range(2)))
        with ThreadPoolExecutor(3) as pool:
            for pair in pool.map(nested, range(3)):
                print(*pair)
        print(digest())
        """
    )
    assert len(digests) == 7
    assert len(set(digests)) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_a_signal_handler_may_convolve():
    """It can come between any two steps of a call in the same thread."""
    digests = run(
        """
        import signal
        seen = []
        alone = digest()
        signal.signal(signal.SIGALRM, lambda *_: seen.append(digest()))
        signal.setitimer(signal.ITIMER_REAL, 0.003, 0.02)
        results = {digest() for _ in range(60)}
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert seen
        print(alone, *results, *set(seen))
        """
    )
    assert len(set(digests)) == 1


INTERRUPTED = """
import signal
before, right = numba.get_num_threads(), digest()

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
for attempt in range(100):
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + 0.00003 * attempt)
    try:
        while True:
            digest()
    except KeyboardInterrupt:
        assert launch._gate.leader is None, attempt
        assert numba.get_num_threads() == before, attempt
print(digest() == right)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_an_interrupt_leaves_no_crew_behind():
    """It can come between any two steps of a call; the next one has all threads again."""
    assert run(INTERRUPTED, NUMBA_NUM_THREADS="4") == ["True"]


def test_a_thread_that_dies_amid_a_call_leaves_no_crew_behind():
    """An exception is thrown into it from outside, as notebooks and servers stop a thread."""
    code = """
    import ctypes, time
    right = digest()
    def work():
        try:
            while True: digest()
        except ZeroDivisionError:
            assert numba.get_num_threads() == 4
    for attempt in range(40):
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.0002 * attempt)
        while thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(ZeroDivisionError)
            )
            thread.join(0.01)
        assert launch._gate.leader is None
    print(digest() == right)
    """
    assert run(code, NUMBA_NUM_THREADS="4") == ["True"]


@pytest.mark.parametrize("layer", layers())
def test_a_process_may_end_while_its_threads_compute(layer):
    code = """
    import time
    digest()
    for _ in range(3):
        threading.Thread(target=lambda: [digest() for _ in range(10**6)], daemon=True).start()
    time.sleep(0.2)
    print("left")
    """
    assert "left" in run(code, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="4")


OPENMP = """
import ctypes
openmp = ctypes.CDLL("libgomp.so.1")
Region = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""


def has_openmp():
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_openmp(), reason="needs GNU OpenMP")
@pytest.mark.parametrize("layer", layers())
def test_another_librarys_parallel_region_may_call(layer):
    """As a C library does whose threads call back: not even the threads are Python's."""
    digests = run(
        OPENMP
        + """
seen = []
region = Region(lambda _: seen.append(digest()))
for _ in range(3):
    openmp.GOMP_parallel(region, None, 3, 0)
print(digest(), *seen)
""",
        NUMBA_THREADING_LAYER=layer,
        NUMBA_NUM_THREADS="4",
    )
    assert len(digests) == 10
    assert len(set(digests)) == 1


@pytest.mark.skipif(not has_openmp(), reason="needs GNU OpenMP")
@forks
def test_child_computes_where_another_library_had_started_openmp():
    """Numba, which had not, would wait in the child for threads that exist in the parent alone."""
    child, alone = run(
        OPENMP
        + FORK
        + """
region = Region(lambda _: None)
openmp.GOMP_parallel(region, None, 3, 0)
in_a_child(digest)
print(digest())
"""
    )
    assert child == alone


@forks
def test_fork_waits_while_another_thread_compiles(tmp_path):
    """Else Numba's compiler, and LLVM itself, would stay locked in the child."""
    words = run(
        FORK
        + """
import signal, time
def pool(size):
    return convlab.average_pool2d(x, size, implementation="parallel").sum()
thread = threading.Thread(target=pool, args=(3,))
thread.start()
for _ in range(4):
    time.sleep(0.3)
    in_a_child(lambda: signal.alarm(120) or pool(2))
thread.join()
print(pool(2))
""",
        NUMBA_CACHE_DIR=str(tmp_path),
    )
    assert len(words) == 5
    assert len(set(words)) == 1


@pytest.mark.parametrize("library", ["joblib", "dask"])
def test_workers_of_joblib_and_dask_compute(library, tmp_path):
    pytest.importorskip(library)
    calls = {
        "joblib": """
                import joblib
                for backend in ("threading", "loky", "multiprocessing"):
                    workers = joblib.Parallel(n_jobs=2, backend=backend)
                    print(*workers(joblib.delayed(work)(n) for n in range(4)))
        """,
        "dask": """
                import dask
                for scheduler in ("threads", "processes", "synchronous"):
                    tasks = [dask.delayed(work)(n) for n in range(4)]
                    print(*dask.compute(*tasks, scheduler=scheduler, num_workers=2))
        """,
    }
    work = "def work(_):\n    return digest()\nif __name__ == '__main__':\n    print(digest())\n"
    digests = run_script(tmp_path, work + textwrap.indent(textwrap.dedent(calls[library]), "    "))
    assert len(digests) == 13
    assert len(set(digests)) == 1


def test_one_thread_is_a_crew_too():
    one, four = (run("print(digest())", NUMBA_NUM_THREADS=n) for n in "14")
    assert one == four


@forks
@pytest.mark.parametrize("layer", layers())
def test_auto_computes_in_a_forked_child_as_in_its_parent(layer):
    words = run(
        FORK
        + """
def work():
    x, kernel = rng.normal(size=(9, 64, 64, 16)), rng.normal(size=(3, 3, 16, 32))
    return hashlib.sha256(convlab.conv2d(x, kernel).tobytes()).hexdigest()
state = rng.bit_generator.state
print(work(), flush=True)
rng.bit_generator.state = state
in_a_child(work)
""",
        NUMBA_THREADING_LAYER=layer,
    )
    digests = [word for word in words if len(word) == 64]  # TBB, too, writes to stdout
    assert len(digests) == 2
    assert len(set(digests)) == 1


def test_without_the_compiler_auto_is_vectorized_and_parallel_says_why():
    code = """
import numpy as np, convlab
x, kernel = np.ones((9, 64, 64, 16)), np.ones((3, 3, 16, 32))
print(convlab.conv2d(x, kernel).shape)
try:
    convlab.conv2d(x, kernel, implementation="parallel")
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    shape, why = done.stdout.splitlines()
    assert shape == "(9, 62, 62, 32)"
    assert "Received: NUMBA_DISABLE_JIT=1." in why
    assert 'implementation="vectorized"' in why


ONE_CALL = """
    from convlab.kernels.parallel import packing
    with convlab.use_implementation("parallel"):
        convlab.conv2d(np.ones((1, 4, 4, 2), "float32"), np.ones((2, 2, 2, 2), "float32"))
    stats = packing.packing.alone.stats
    print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def test_machine_code_is_kept_on_disk(tmp_path):
    code = textwrap.dedent(ONE_CALL)
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == ["0", "1"]
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == ["1", "0"]


POOL_AND_COUNT = """
import gc, sys
import numpy as np, convlab
from convlab.kernels.parallel import launch
launch.WORK_PER_THREAD = 1
convlab.max_pool2d(np.ones((8, 64, 64, 16), "float32"), implementation="parallel")
try:
    from convlab.kernels.parallel.closures import make
except ImportError:
    pass
else:
    kept = [make(number) for number in (1, 2)]
    assert [one(1) for one in kept] == [2, 3]
found = [o for o in gc.get_objects() if type(o).__name__ == "CPUDispatcher"]
ours = [o for o in found if o.py_func.__module__.startswith("convlab.")]
print(convlab.__file__, *(sum(sum(getattr(o.stats, n).values()) for o in ours)
                          for n in ("cache_hits", "cache_misses")))
"""
CLOSURES = """
from convlab.kernels.parallel.launch import compiled

def make(number):
    @compiled()
    def inner(x):
        return x + number

    @compiled()
    def outer(x):
        return inner(x)

    return outer
"""


def test_an_edit_of_any_room_makes_machine_code_old_and_nothing_else_does(tmp_path):
    """Of two closures, each is found again, although they hold another compiled function."""
    package = tmp_path / "convlab"
    shutil.copytree(Path(convlab.__file__).parent, package, ignore=ignore_caches)
    rooms = package / "kernels" / "parallel"
    (rooms / "closures.py").write_text(CLOSURES)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment |= {"PYTHONPATH": str(tmp_path), "NUMBA_NUM_THREADS": "2"}

    def hits_and_misses():
        done = subprocess.run(
            [sys.executable, "-c", POOL_AND_COUNT], capture_output=True, text=True, check=True,
            env=environment, cwd=tmp_path,
        )  # fmt: skip
        file, *counts = done.stdout.split()
        assert Path(file).parent == package
        return [int(count) for count in counts]

    assert hits_and_misses() == [0, 6]  # a kernel, its crew, and twice two closures
    assert hits_and_misses() == [4, 0]  # the outer closure has the inner one within it
    for room in ("tiles_pooling.py", "lanes.py", "launch.py"):
        with (rooms / room).open("a") as file:
            file.write("# edited\n")
        assert hits_and_misses() == [0, 6], room
    (package / "functional.py").touch()
    assert hits_and_misses() == [4, 0]


def ignore_caches(folder, names):
    return [name for name in names if name == "__pycache__"]


def test_closures_are_told_apart_by_what_they_hold():
    def make(number):
        def inner():
            return number

        def outer():
            return inner()

        return outer

    names = [launch._identity(make(value)) for value in (1, 2, 1.0, "1", (1, 2), np.arange(3))]
    assert len(set(names)) == len(names)
    assert launch._identity(make(1)) == names[0]
    assert launch._identity(make(np.arange(3))) == names[-1]


def test_processes_that_compile_at_once_share_one_folder(tmp_path):
    command = [sys.executable, "-c", POOL_AND_COUNT]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": "2"}
    together = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(300) for process in together] == [0, 0, 0]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[1:] == ["2", "0"]


def test_read_only_and_writable_arrays_share_one_compiled_version():
    count = run(
        """
        from convlab.kernels.parallel import direct
        frozen = np.broadcast_to(x, x.shape)
        for image in (x, frozen, x[::-1], x.astype(">f4"), np.asfortranarray(x)):
            convlab.conv2d(
                image, dense, padding="same", implementation="parallel", algorithm="direct"
            )
        print(len(direct.alone.signatures))
        """
    )
    assert count == ["1"]


@pytest.mark.parametrize(
    ("jobs", "work", "allowed", "used"),
    [(8, 1000, 2, 1), (8, 10**8, 2, 2), (1, 10**8, 2, 1), (8, 10**8, 1, 1)],
)
def test_a_crew_is_as_large_as_jobs_and_work_need_and_the_user_allows(
    jobs, work, allowed, used, monkeypatch
):
    before = numba.get_num_threads()
    if allowed > before:
        pytest.skip("one thread is all there is")
    numba.set_num_threads(allowed)
    try:
        assert launch.crew_for(jobs, work) == used
        crews = []
        kernel = launch.Kernel(
            lambda member, board, scratch: crews.append(len(scratch)),
            lambda crew, board, scratch: crews.append(len(scratch)),
        )
        launch.run(kernel, jobs, work, 100)
        assert crews == [used]
        assert numba.get_num_threads() == allowed
    finally:
        numba.set_num_threads(before)


def test_an_error_in_a_kernel_opens_the_gate_again():
    def fail(*_):
        raise ZeroDivisionError

    before = numba.get_num_threads()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            launch.run(launch.Kernel(fail, fail), 8, 10**9, 0)
        assert launch._gate.leader is None
        assert numba.get_num_threads() == before


def test_scratch_is_lent_to_one_at_a_time_and_again_afterwards():
    with launch.borrowed(2, 1000) as first, launch.borrowed(3, 500) as second:
        assert not np.shares_memory(first, second)
        assert first.shape[0] == 2
        assert first.nbytes >= 2000
        for rows in (first, second):
            assert all(row.ctypes.data % launch.LINE == 0 for row in rows)
        kept = first.base if first.base is not None else first
    with launch.borrowed(1, 100) as third, launch.borrowed(1, 100) as fourth:
        assert np.shares_memory(kept, third) or np.shares_memory(kept, fourth)


def test_scratch_has_one_user_at_a_time_among_threads():
    wrong, start = [], threading.Barrier(6)

    def use(mark):
        start.wait()
        for size in range(1, 400):
            with launch.borrowed(2, size) as outer, launch.borrowed(1, 50) as inner:
                outer[:], inner[:] = mark, -mark
                if size % 7 == 0:
                    time.sleep(0.0001)  # another thread has its turn
                if (outer != mark).any() or (inner != -mark).any():
                    wrong.append(mark)

    threads = [threading.Thread(target=use, args=(mark,)) for mark in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_little_scratch_is_kept_and_no_huge_piece():
    launch._spare.clear()
    sizes = [launch.SPARE_BYTES + 1] + [100] * (launch.SPARE_PIECES + 3)
    rooms = [launch.borrowed(1, size) for size in sizes]
    for room in rooms:
        room.__enter__()
    for room in rooms:
        room.__exit__(None, None, None)
    assert len(launch._spare) == launch.SPARE_PIECES
    assert all(piece.nbytes <= launch.SPARE_BYTES for piece in launch._spare)


def test_a_crew_is_led_by_one_and_who_comes_meanwhile_works_alone():
    crews = []

    def alone(member, board, scratch):
        crews.append(("alone", len(scratch), int(board[0])))

    def together(crew, board, scratch):
        crews.append(("together", crew, numba.get_num_threads()))
        launch.run(launch.Kernel(alone, together), 8, 10**9, 8)  # as a signal handler may

    allowed = numba.get_num_threads()
    launch.run(launch.Kernel(alone, together), 8, 10**9, 8)
    if allowed == 1:
        assert crews == [("alone", 1, 0)]
    else:
        crew = min(8, allowed)
        assert crews == [("together", crew, crew), ("alone", crew, 0)]
    assert numba.get_num_threads() == allowed
    assert launch._gate.leader is None


def test_a_call_costs_microseconds():
    """For a crew of one, which small layers are. Measured: 2; the bound allows for a busy day."""
    kernel = launch.Kernel(lambda member, board, scratch: None, None)
    best = min(timeit.repeat(lambda: launch.run(kernel, 1, 1, 100), number=200, repeat=20)) / 200
    assert best < 30e-6


def test_without_a_folder_for_the_cache_the_kernels_still_compile(monkeypatch):
    def njit(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return lambda function: ("compiled without a cache", function, options)

    monkeypatch.setattr(launch.numba, "njit", njit)
    how, function, options = launch.compiled(parallel=True)(len)
    assert (how, function) == ("compiled without a cache", len)
    assert options["parallel"]


def test_inputs_are_handed_over_without_a_copy_where_none_is_needed():
    array = np.ones((2, 3), np.float32)
    view = launch.read_only(array, np.dtype(np.float32))
    assert np.shares_memory(view, array)
    assert not view.flags.writeable
    assert array.flags.writeable


def test_threads_sleep_while_they_wait_and_the_environment_stays_as_it_was():
    code = (
        "import os, numpy as np, convlab\n"
        "from convlab.kernels.parallel import launch\n"
        "seen = []\n"
        "start = launch.numba.get_num_threads\n"
        "def spy():\n"
        "    seen.append(os.environ.get('OMP_WAIT_POLICY'))\n"
        "    return start()\n"
        "launch.numba.get_num_threads = spy\n"
        "convlab.conv2d(np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 1)), implementation='parallel')\n"
        "print(seen[0], os.environ.get('OMP_WAIT_POLICY'))\n"
    )
    for chosen, told in ((None, "passive None"), ("active", "active active")):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        environment |= {} if chosen is None else {"OMP_WAIT_POLICY": chosen}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == told
