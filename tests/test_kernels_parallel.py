"""What only compiled, threaded kernels can get wrong: threads, forks, layers, the disk cache.

A threading layer is chosen once in a process, and a wrong one ends the process: so most of
these tests run in a process of their own.
"""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

numba = pytest.importorskip("numba")

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
    script = tmp_path / "pool.py"
    script.write_text(
        WORK
        + textwrap.dedent(
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
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    digests = done.stdout.split()
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


ONE_CALL = """
    from convlab.kernels.parallel import packing
    with convlab.use_implementation("parallel"):
        convlab.conv2d(np.ones((1, 4, 4, 2), "float32"), np.ones((2, 2, 2, 2), "float32"))
    stats = packing._pack((1, lanes.machine().lanes(np.dtype("float32"))), False).alone.stats
    print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def test_machine_code_is_kept_on_disk(tmp_path):
    code = "from convlab.kernels.parallel import lanes\n" + textwrap.dedent(ONE_CALL)
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == ["0", "1"]
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == ["1", "0"]


def test_read_only_and_writable_arrays_share_one_compiled_version():
    count = run(
        """
        from convlab.kernels.parallel import direct
        frozen = np.broadcast_to(x, x.shape)
        for image in (x, frozen, x[::-1], x.astype(">f4"), np.asfortranarray(x)):
            convlab.conv2d(
                image, dense, padding="same", implementation="parallel", algorithm="direct"
            )
        layer = convlab.Geometry.conv2d(x.shape, dense.shape, padding="same")
        kernel = direct.kernel(convlab.plan(layer, algorithm="direct").setups[0].shape)
        print(len(kernel.together.signatures or kernel.alone.signatures))
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
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == told
