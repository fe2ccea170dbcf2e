"""Each row of the table: what is run for it, and when it is met."""

import contextlib
import functools
import statistics
import subprocess
import sys
import time

from django.db.models import Count, Max, Min
from django.utils import timezone

from newsletter import chunks, windows, writing
from newsletter.models import Campaign, Chunk, Delivery
from tests import processes

from . import _django_newsletter, _machine, _newsletter, _nodes, _postfix, _servers, _workers
from ._figures import Sample, median


def _script(module, *arguments):
    """The numbers a measurement in a process of its own prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    result = subprocess.run(command, cwd=processes.ROOT, capture_output=True, text=True, timeout=900)
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    return tuple(map(float, result.stdout.split()[-3:]))


def _sample(measure, peer):
    """A Sample of what `measure()` tells: letters a second and processor seconds per 1,000, sent to that process."""
    with _machine.Watch(peers=[peer]) as watch:
        rate, used = measure()
    return Sample(rate, used, others=watch.others)


def _campaign(topic, route, peers, *, app="project.celery", nodes=None, watching=None, **environment):
    """A Sample of one campaign sent by real workers: two processes, freshly started."""
    with contextlib.ExitStack() as stack:
        starts = nodes or [{"name": "one"}]
        parents = [stack.enter_context(_workers.started(route, app=app, **start, **environment)) for start in starts]
        see = (lambda: watching(parents)) if watching else None
        rate, watch, states = _workers.measured(topic, parents, _servers.postmaster(), peers, see)
        memory = max(_machine.memory(pid)[1] for parent in parents for pid in _workers.children(parent))
        letters = states["sent"] / 1000
        return Sample(rate, *(watch.cpu[family] / letters for family in ("workers", "database", "peers")), memory=memory, others=watch.others)


def _letter_size(bench):
    """Bytes of one letter of the newsletter as it goes over the wire; what C sends is as long."""
    if "size" not in bench.shared:
        _newsletter.forget_campaigns()
        _newsletter.launch(_newsletter.make_readers(1000))
        claim = chunks.claim(timezone.now())
        letter = chunks.turn(claim, [], 1)[0]
        writer = writing.of(claim.chunk)
        wire = writer.wire(letter) if hasattr(writer, "wire") else writer.message(letter).message().as_bytes(linesep="\r\n")
        bench.shared["size"] = len(wire)
        _newsletter.forget_campaigns()
        bench.note(f"A letter is {len(wire) / 1000:.1f} kB on the wire; smtp-source sends as many bytes.")
    return bench.shared["size"]


def _taken(record):
    """`(letters, readers, whether everybody got theirs once)` by a sink's record, the workers' small campaign left out."""
    letters, readers = _servers.recorded(record)
    letters -= _workers.SMALL
    sent = Campaign.objects.get().status == Campaign.Status.SENT
    return letters, readers, sent and letters == readers == Delivery.objects.count()


# -- End to end --------------------------------------------------------------------------------------------------------------------------


def ends(bench):
    """Through Celery and PostgreSQL to both sinks, beside C, plain Django and django-newsletter."""
    size, letters = _letter_size(bench), bench.size(100_000)
    full, few = _newsletter.make_readers(letters), _newsletter.make_readers(letters // 10)
    record = bench.folder / "accepted"
    folder = _django_newsletter.installed(bench.stack)
    body = bench.folder / "body.html"
    body.write_text("<p>" + "There are chairs with good backs, and there is time for your own questions. " * 170 + "</p>")
    runs = {}

    def keep(name, sample):
        runs.setdefault(name, []).append(sample)
        bench.say(f"  {name}: {sample.rate:,.0f} letters/s, {sample.workers:.3f} s/1k, {sample.memory} MB; others {sample.others:.0%}")

    def c_to_c():
        with _servers.smtp_sink() as (port, pid):
            tries = [_sample(lambda many=many: _postfix.source(port, bench.size(30_000), size, many), pid) for many in _postfix.SESSIONS]
        return max(tries, key=lambda sample: sample.rate)

    def to_smtp_sink():
        with _servers.smtp_sink() as (port, pid):
            return _campaign(full, f"smtp://127.0.0.1:{port}", [pid])

    def to_fast_sink(topic, *options, app="project.celery"):
        with _servers.sink(*options, "--record", record) as (port, pid):
            sample = _campaign(topic, f"smtp://127.0.0.1:{port}", [pid], app=app)
        taken, different, exact = _taken(record)
        if not exact:
            raise RuntimeError(f"{taken} letters were taken, for {different} readers of {Delivery.objects.count()}.")
        return sample

    def django_newsletter():
        database = bench.folder / f"django-newsletter-{time.monotonic_ns()}.sqlite3"
        with _servers.sink() as (port, pid):
            return _sample(lambda: _django_newsletter.measured(folder, bench.size(10_000) // 5, port, database, body), pid)

    ways = {
        "smtp-source → smtp-sink, best of 4, 16, 64 sessions": c_to_c,
        "ours → smtp-sink": to_smtp_sink,
        "ours → fast sink, CHUNKING": lambda: to_fast_sink(full, "--chunking"),
        "ours → fast sink, PIPELINING": lambda: to_fast_sink(full),
        "Django’s EmailMultiAlternatives, kept connection → fast sink": lambda: to_fast_sink(few, app="tests.benchmarks._django_way"),
    }
    try:
        bench.note(f"Postfix {_postfix.version()}: smtp-sink speaks PIPELINING, no CHUNKING; smtp-source does not pipeline.")
    except _postfix.Missing as missing:
        bench.note(f"{missing}.")
        ways = {name: way for name, way in ways.items() if "smtp-sink" not in name}
    if folder:
        ways["django-newsletter, one process, SQLite → fast sink"] = django_newsletter
    else:
        bench.note("django-newsletter could not be had by pip, so there is no (c).")
    for _round in range(bench.rounds):
        for name, way in ways.items():
            keep(name, way())
    _saturation(bench, size)
    _judge_ends(bench, runs)


def _judge_ends(bench, runs):
    rates = {name: bench.contender(name, samples) for name, samples in runs.items()}
    names = list(rates)
    c = next((rates[name] for name in names if name.startswith("smtp-source")), None)
    to_sink = rates.get("ours → smtp-sink")
    ways = [name for name in names if name.startswith("ours → fast sink")]
    best = max(ways, key=rates.get)
    fast = rates[best]
    django = next(rates[name] for name in names if name.startswith("Django"))
    other = next((rates[name] for name in names if name.startswith("django-newsletter")), None)
    share = to_sink / c if c else None
    bench.row("end to end to smtp-sink ÷ C to C", f"{share:.2f} ×" if c else "not measured", "≥ 0.95 ×", c and share >= 0.95)
    bench.row(f"end to end to the fast sink ({best.split(', ')[1]})", f"{fast:,.0f} letters/s", "≥ 10,000 when quiet", fast >= 10_000)
    bench.row("… ÷ (b) Django’s EmailMultiAlternatives", f"{fast / django:.1f} ×", "≥ 15 ×", fast >= 15 * django)
    bench.row("… ÷ (c) django-newsletter", f"{fast / other:.0f} ×" if other else "not measured", "≥ 60 ×", other and fast >= 60 * other)
    cost = max(median(samples, "workers") for name, samples in runs.items() if name.startswith("ours"))
    bench.row("worker CPU per 1,000 letters (dearest of ours)", f"{cost:.3f} s", "≤ 0.08 s", cost <= 0.08)


def _saturation(bench, size):
    """What the fast sink itself can take."""
    rates = []
    for options in ([], ["--chunking"]):
        with _servers.sink(*options) as (port, _pid):
            seconds = _script("_raw_sender", port, bench.size(80_000), size, *options)[-1]
            rates.append(bench.size(80_000) / seconds)
    bench.note(
        "The fast sink: one Python process, one thread, epoll; EHLO, PIPELINING, 8BITMIME, CHUNKING when told; no TLS or AUTH. "
        f"It takes {rates[0]:,.0f} letters/s from a raw pipelining sender, {rates[1]:,.0f} by BDAT."
    )


def latency(bench):
    """20 ms before each batch of replies."""
    size, runs = _letter_size(bench), {"ours": [], "smtplib": []}
    for _round in range(bench.rounds):
        for way, samples in runs.items():
            letters = bench.size(20_000 if way == "ours" else 5_000)
            with _servers.sink("--delay", 20) as (port, pid):
                measure = functools.partial(_script, "_over_latency", way, port, letters, size, 16)
                samples.append(_sample(measure, pid))
    ours = bench.contender("our SMTP carrier, 16 connections, 20 ms", runs["ours"])
    stock = bench.contender("smtplib, 16 threads, 20 ms", runs["smtplib"])
    bench.row("20 ms before each reply, 16 connections ÷ smtplib", f"{ours / stock:.1f} ×", "≥ 3.5 ×", ours >= 3.5 * stock)


def esp(bench):
    """Batch calls to a provider's stub."""
    topic = _newsletter.make_readers(bench.size(100_000))
    for kind, shape, must in (("mailgun", "anymail batch, Mailgun shape", 8_000), ("ses", "SES bulk shape", 5_000)):
        samples = []
        for _round in range(bench.rounds):
            record = bench.folder / f"{kind}-{_round}"
            with _servers.provider(kind, record) as (route, pid):
                samples.append(_campaign(topic, route, [pid]))
        rate = bench.contender(f"ours → {shape}", samples)
        bench.row(f"{shape}, local stub", f"{rate:,.0f} letters/s", f"≥ {must:,}", rate >= must)


# -- A million ---------------------------------------------------------------------------------------------------------------------------


def launch(bench):
    """An audience of a million frozen, twice."""
    topic = _newsletter.make_readers(bench.size(1_000_000))
    _newsletter.forget_campaigns()
    small = _newsletter.make_readers(1000)
    first, second = (_script("_one_launch", small.slug, topic.slug) for _time in range(2))
    seconds = f"{first[0]:.1f} s, again {second[0]:.1f} s"
    limit = bench.size(20)
    size = f"{bench.size(1_000_000):,}"
    met = max(first[0], second[0]) <= limit and second[0] <= first[0] * 1.2
    bench.row(f"launch: {size} frozen into deliveries and chunks", seconds, f"≤ {limit} s, second no slower", met)
    grown = max(first[2] - first[1], second[2] - second[1])
    bench.row("… worker memory", f"{first[2]:.0f} MB, grown by {grown:.0f} MB", "flat", grown <= 20)


def million(bench):
    """A million deliveries: the last tenth beside the first, the window's read at both ends, and memory."""
    count = bench.size(1_000_000)
    topic = _newsletter.make_readers(count)
    seen, reads = [], []

    def look(parents):
        children = [pid for parent in parents for pid in _workers.children(parent)]
        done = Chunk.objects.filter(state=Chunk.State.DONE).count() / max(Chunk.objects.count(), 1)
        seen.append((done, max(_machine.memory(pid)[0] for pid in children), max(_machine.memory(pid)[1] for pid in children)))
        if not reads or (done > 0.95 and len(reads) == 1):
            reads.append(_window_read())

    with _servers.sink("--chunking") as (port, pid):
        sample = _campaign(topic, f"smtp://127.0.0.1:{port}", [pid], watching=look)
    bench.contender(f"ours → fast sink, {count:,} letters", [sample])
    bench.shared[count] = _steady()
    first, last = _tenth(count, 0), _tenth(count, 9)
    bench.row(
        "the last 10 % ÷ the first 10 %", f"{last / first:.2f} × ({last:,.0f} and {first:,.0f} letters/s)", "≥ 0.95 ×", last >= 0.95 * first
    )
    pages = [f"{touched} pages, {spent:.1f} ms" for touched, spent, _indexes in reads]
    bench.note(f"The window’s read at the beginning: {pages[0]}; at the end: {pages[-1]}; by {', '.join(reads[-1][2])}.")
    early = next(now for done, now, _peak in seen if done >= min(0.1, seen[-1][0]))
    peak, grown = max(peak for _done, _now, peak in seen), seen[-1][1] - early
    bench.row(
        f"worker memory during {count:,} deliveries",
        f"≤ {peak} MB, {grown:+d} MB after the first 10 %",
        "≤ 150 MB, flat",
        peak <= 150 and grown <= 10,
    )


def _window_read():
    """EXPLAIN of what a worker would read next: of the last chunk that waits, since the others are taken first."""
    chunk = Chunk.objects.select_related("campaign").exclude(state=Chunk.State.DONE).order_by("-lo").first()
    pks = list(Delivery.objects.of(chunk).order_by("pk").values_list("pk", flat=True)[:48])
    return _servers.explained(*windows.waiting(pks, chunk.campaign.topic_id).query.sql_with_params())


def _steady():
    """Letters a second from the first record to the last, so that a small campaign's rate is not that of its first bell."""
    facts = Delivery.objects.aggregate(first=Min("settled_at"), last=Max("settled_at"), count=Count("pk"))
    return facts["count"] / max((facts["last"] - facts["first"]).total_seconds(), 0.001)


def _tenth(count, which):
    """Letters a second of one tenth of what was recorded, in the order it was."""
    size = count // 10
    moments = Delivery.objects.order_by("settled_at").values_list("settled_at", flat=True)
    begin, end = moments[which * size], moments[(which + 1) * size - 1]
    return size / max((end - begin).total_seconds(), 0.001)


def growth(bench):
    """Letters a second by how many there are."""
    rates = {}
    for count in (bench.size(10_000), bench.size(100_000), bench.size(1_000_000)):
        if count in bench.shared:
            rates[count] = bench.shared[count]
            continue
        topic = _newsletter.make_readers(count)
        samples = []
        for _round in range(bench.rounds if count < 500_000 else 1):
            with _servers.sink("--chunking") as (port, pid):
                _campaign(topic, f"smtp://127.0.0.1:{port}", [pid])
            samples.append(_steady())
        rates[count] = statistics.median(samples)
    spread = max(rates.values()) / min(rates.values()) - 1
    told = ", ".join(f"{rate:,.0f} at {count:,}" for count, rate in rates.items())
    bench.row("letters/s as the audience grows, first record to last", told, "within 20 %", spread <= 0.2)


def nodes(bench):
    """Two machines, as far as one machine can play them, with two workers each on one campaign."""
    topic = _newsletter.make_readers(bench.size(20_000))
    record = bench.folder / "accepted-by-nodes"
    with _nodes.network() as network:
        bench.note(network.described)
        rates = {}
        for many in (1, 2):
            with _servers.sink("--delay", 20, "--record", record, host=network.host) as (port, pid):
                starts = [network.node(number) for number in range(many)]
                rates[many] = _campaign(topic, f"smtp://{network.host}:{port}", [pid], nodes=starts, **network.environment)
            taken, different, exact = _taken(record)
            bench.row(
                f"{many} node{'s' * (many > 1)} of two workers, 20 ms: nothing doubled or lost",
                f"{taken} taken, {different} readers",
                "all once",
                exact,
            )
    one, two = bench.contender("one node of two workers, 20 ms", [rates[1]]), bench.contender("two nodes of two workers, 20 ms", [rates[2]])
    bench.row("two nodes ÷ one", f"{two / one:.2f} ×", "> 1 until the wire is full", two > one)
