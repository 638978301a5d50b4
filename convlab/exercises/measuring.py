# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on measuring."""

import statistics

from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "One of the seven calls did something that no later call will do. Which one, and what?",
        "The first call compiled. One of the rest was interrupted. Which statistic minds neither?",
        "Without the first: 2.1, 2.2, 2.2, 2.3, 2.4, 9.7. There are six, so take the middle two.",
    ],
    why="The interruption moved the mean of the rest by more than half, and the median hardly.",
    tolerance=1e-6,
)
def to_report():
    """Seven calls took 812, 2.4, 2.1, 2.2, 9.7, 2.3, 2.2 ms: the time of a call, for a report?

    The function was compiled at its first call.
    """
    return statistics.median([2.4, 2.1, 2.2, 9.7, 2.3, 2.2])


to_report.mistake(
    statistics.mean([812, 2.4, 2.1, 2.2, 9.7, 2.3, 2.2]),
    means="You took the mean of all. It is nearly all compilation.",
)
to_report.mistake(
    statistics.mean([2.4, 2.1, 2.2, 9.7, 2.3, 2.2]),
    means="You left out the first call. But the mean lies where no call was: one interruption "
    "moved it.",
)
to_report.mistake(
    2.3, means="You took the median of all seven. The first call is another experiment: leave it "
    "out, and two calls share the middle."
)  # fmt: skip
to_report.mistake(
    2.1, means="You took the shortest. It says what the machine can do once; you are asked what a "
    "call takes."
)  # fmt: skip
to_report.mistake(3.5, means="That is about the mean: one interruption moved it.")
to_report.mistake(812, means="That is the first call: compilation. Report it apart, if at all.")
to_report.mistake(
    2.2, means="You took the lower of the two in the middle, or the most frequent. With six "
    "numbers the median is halfway between the third and the fourth."
)  # fmt: skip

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "On a machine that gets slower all the time, whoever runs later looks worse. Number the "
        "turns 1 to 8. What must be equal for a and b?",
        "The numbers of a's turns must add up to as much as those of b's: to 18.",
        "a b b a gives 1 + 4 and 2 + 3. What about the next four?",
    ],
    why="Each comes early as often as late, so a steady drift is shared out evenly.",
)
def turns():
    """Give an order of eight turns, four of a and four of b, that a steady drift cannot bend.

    Write it as text, such as `"aaaabbbb"`. And never let one run more than twice in a row.
    """
    return "abba" * 2


@turns.judge
def _fair(order):
    if not isinstance(order, str | tuple) or not all(isinstance(one, str) for one in order):
        return 'Write the order as text, such as "aaaabbbb".'
    letters = "".join(order).lower().replace(" ", "")
    if sorted(letters) != list("aaaabbbb"):
        return "There must be eight letters: a four times, and b four times."
    places = {name: [i for i, one in enumerate(letters, 1) if one == name] for name in "ab"}
    sums = {name: sum(numbers) for name, numbers in places.items()}
    if sums["a"] != sums["b"]:
        late = max(sums, key=sums.get)
        return (
            f"The turns of a add up to {sums['a']}, those of b to {sums['b']}: {late} runs later, "
            "when the machine is slower."
        )
    if "aaa" in letters or "bbb" in letters:
        return "A steady drift is cancelled. But one of them runs three times in a row or more."
    return None


turns.mistake(
    "aaaabbbb",
    means="All of a before all of b: whatever changes in between is taken for a difference.",
)
turns.mistake(
    "abababab",
    means="They take turns, and b always comes second. A drift that never stops favours the first.",
)
turns.mistake(
    "babababa",
    means="They take turns, and a always comes second. A drift that never stops favours the first.",
)
turns.mistake(
    "aabbbbaa",
    means="A neighbour that comes for the middle of the run would meet b alone.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Each round has its own ratio. Which one is in the middle?",
        "b / a, round by round: 1.5, 1.5, 3.0, 1.5, 1.5.",
    ],
    why="The machine changed its speed inside round 3: that spoils one ratio, and both medians' "
    "quotient.",
)
def ratio():
    """Five rounds: a took 10 10 10 20 20, b took 15 15 30 30 30. The median of the ratios b / a?"""
    rounds = zip([10, 10, 10, 20, 20], [15, 15, 30, 30, 30], strict=True)
    return statistics.median(b / a for a, b in rounds)


ratio.mistake(
    3, means="You divided the medians, 30 by 10. They come from different rounds: from before and "
    "after the machine got slower."
)  # fmt: skip
ratio.mistake(1.71, means="That is the ratio of the sums. Slow rounds weigh more in a sum.")
ratio.mistake(1.8, means="You took the mean of the ratios. Round 3 is in it with its full weight.")
ratio.mistake(24 / 14, means="You divided the means, or the sums. Slow rounds weigh more in a sum.")
ratio.mistake(
    2 / 3, means="You divided a by b. Asked is b / a: how many times as long b takes as a."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Which of the 100 ms get shorter with eight threads, and which do not?",
        "20 ms stay. 80 ms become 80 / 8.",
        "100 / (20 + 10).",
    ],
    why="Eight threads, three times as fast. And never five times, with however many.",
    tolerance=0.006,
)
def eight_threads():
    """80 of 100 ms can be shared out among threads: how many times as fast do 8 threads make it?"""
    return 100 / (20 + 80 / 8)


eight_threads.mistake(8, means="You shared out all of it. 20 ms run on one thread, as before.")
eight_threads.mistake(
    6.4, means="You took 80 % of 8. Add up the times first: what stays, and what shrinks."
)
eight_threads.mistake(5, means="That is the limit for any number of threads: 80 ms shrunk to 0.")
eight_threads.mistake(30, means="That is the time in ms. How many times as fast is it as 100 ms?")
eight_threads.mistake(10, means="You left out the 20 ms that cannot be shared: 100 / 10.")
eight_threads.mistake(
    0.3, means="You divided the new time by the old one. Asked is how many times as fast it gets."
)

# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Ask of each table: one run or many? In turns? Was the same thing asked of both?",
        "A table with large numbers in it may still be the honest one. Divide round by round.",
    ],
    why="Its times jump by half, for both at once. Its ratio hardly moves: 1.5 in every round.",
)
def table():
    """Which table supports "B takes 1.5 times as long as A": (a), (b), (c), (d) or (e)?"""
    return "d"


table.mistake(
    "a", means="One run each. Whatever happened to one of the two looks like a difference."
)
table.mistake(
    "b",
    means="Both rows climb: the machine was slowing down, and B ran after A. Had A gone on, it "
    "would have climbed, too.",
)
table.mistake(
    "c", means="B computes in float64: twice the bytes, and half as many numbers in a vector."
)
table.mistake("e", means="A had two threads and B one. With one each, A might be the slower one.")

# --- 6 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many multiply-adds does the product of two 1024x1024 matrices take?",
        "1024 * 1024 * 1024 of them, two flop each, in 0.000004 seconds.",
        "2.147 billion divided by 0.000004 is 537 and twelve zeros. What is tera?",
    ],
    why="A thousand times the peak of the chapters' machine: the call had returned before it had "
    "computed.",
    tolerance=5,
)
def too_good():
    """`f(x)` returned after 4 microseconds; it multiplies two 1024x1024 matrices: TFLOP/s?"""
    return 2 * 1024**3 / 4e-6 / 1e12


too_good.mistake(
    1024**3 / 4e-6 / 1e12,
    means="You counted a multiply-add as one operation. It is a product and a sum.",
)
too_good.mistake(
    2 * 1024**3 / 4e-6 / 1e9, means="Those are GFLOP/s. A teraflop is a thousand gigaflop."
)
too_good.mistake(
    2 * 1024**3 / 4e-3 / 1e12,
    means="You took 4 milliseconds. A microsecond is a millionth of a second.",
)
