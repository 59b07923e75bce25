"""Rule matching from 10 to 10,000 mixed rules: `python -m benchmarks.rules`.

Prints the CPU of one match (median and 99th percentile over chat-length texts), and of building the book.
"""

import gc
import statistics
import time

from benchmarks.webhook import make_rules, make_texts
from bot.services.matching import CompiledRule, RuleBook
from models import MatchMode, Trigger

MATCHES = 20_000


def main() -> None:
    print("| rules | build ms | match p50 µs | match p99 µs |")
    print("|---|---|---|---|")
    for count in (10, 100, 1_000, 10_000):
        rules = make_rules(count)
        compiled = [
            CompiledRule(number, text, Trigger.KEYWORD, ((MatchMode(mode), text),), (), False)
            for number, (mode, text, _reply) in enumerate(rules)
        ]
        started = time.process_time()
        book = RuleBook(1, compiled)
        build = (time.process_time() - started) * 1000
        texts = make_texts(rules, MATCHES)
        spent = []
        gc.disable()
        for text in texts + texts:  # the second round counts: RE2 builds its automaton as it goes
            started = time.perf_counter()
            book.for_text(text)
            spent.append((time.perf_counter() - started) * 1e6)
        gc.enable()
        cuts = statistics.quantiles(spent[MATCHES:], n=100)
        print(f"| {count:,} | {build:.0f} | {cuts[49]:.1f} | {cuts[98]:.1f} |")


if __name__ == "__main__":
    main()
