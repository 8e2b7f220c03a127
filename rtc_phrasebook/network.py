"""Word network of one language (minimal, acyclic, deterministic), and matching of words to phrases.

The fillers of slots are copied into the graph, so that the whole book is one small graph. As it is
deterministic and minimal, phrases share equal beginnings and endings, which makes recognition fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rtc_phrasebook.book import Book, Phrase
from rtc_phrasebook.fillers import Value, sayings
from rtc_phrasebook.number_words import Words
from rtc_phrasebook.pattern import Slot, Wording

Arc = tuple[int, int, str]
"""(from state, to state, word)."""


@dataclass(frozen=True, slots=True)
class Network:
    """Word graph; state 0 is the start."""

    arcs: tuple[Arc, ...]
    """All transitions."""
    finals: tuple[int, ...]
    """States at which a phrase is complete."""

    def words(self) -> set[str]:
        """Return the vocabulary."""
        return {word for _, _, word in self.arcs}

    def paths(self) -> dict[int, dict[str, int]]:
        """Return a table from state to word to next state."""
        table: dict[int, dict[str, int]] = {}
        for source, target, word in self.arcs:
            table.setdefault(source, {})[word] = target
        return table


@dataclass(frozen=True, slots=True)
class Match:
    """Meaning of a sequence of words."""

    phrase: Phrase
    """Phrase that was said."""
    wording: Wording
    """Wording that was used."""
    values: dict[str, Value]
    """Slot key to value."""


class Vocabularies:
    """Words that each slot of one language may have, computed once per kind of slot."""

    def __init__(self, book: Book, language: str) -> None:
        self._book = book
        self._language = language
        self._sayings: dict[Slot, dict[Words, Value]] = {}
        self._networks: dict[Slot, Network] = {}

    def sayings(self, slot: Slot) -> dict[Words, Value]:
        """Return the word sequences of a slot, with their values."""
        alike = _unlabelled(slot)
        if alike not in self._sayings:
            self._sayings[alike] = sayings(alike, self._language, self._book)
        return self._sayings[alike]

    def network(self, slot: Slot) -> Network:
        """Return the word graph of a slot."""
        alike = _unlabelled(slot)
        if alike not in self._networks:
            self._networks[alike] = _minimal(_trie(self.sayings(slot)))
        return self._networks[alike]


def build(wordings: Sequence[Wording], vocabularies: Vocabularies) -> Network:
    """Return the graph that accepts exactly the given wordings."""
    graph = _Graph()
    end = graph.state()
    for wording in wordings:
        state = 0
        for token in wording.tokens():
            if isinstance(token, str):
                after = graph.state()
                graph.arcs[state].append((token, after))
            else:
                after = graph.splice(vocabularies.network(token), state)
            state = after
        graph.empty[state].append(end)
    return _minimal(graph.determinised(end))


def matches(
    words: Sequence[str], phrases: Sequence[Phrase], language: str, vocabularies: Vocabularies
) -> Iterator[Match]:
    """Yield all phrases that the words match, in order of precedence."""
    for phrase in phrases:
        for wording in phrase.wordings[language]:
            values = _values(words, wording.tokens(), vocabularies)
            if values is not None:
                yield Match(phrase, wording, values)
                break


def _values(
    words: Sequence[str], tokens: Sequence[str | Slot], vocabularies: Vocabularies
) -> dict[str, Value] | None:
    """Return the values of the slots if `words` match `tokens`; else None."""
    if not tokens:
        return None if words else {}
    head, rest = tokens[0], tokens[1:]
    if isinstance(head, str):
        return _values(words[1:], rest, vocabularies) if words and words[0] == head else None
    known = vocabularies.sayings(head)
    for length in range(len(words), 0, -1):
        value = known.get(tuple(words[:length]))
        if value is not None:
            values = _values(words[length:], rest, vocabularies)
            if values is not None:
                return {head.key: value, **values}
    return None


def _unlabelled(slot: Slot) -> Slot:
    return Slot(slot.kind, "", slot.form, slot.counted, slot.low, slot.high)


Tree = list[tuple[bool, dict[str, int]]]
"""Per state: whether it is final, and word to next state. State 0 is the start."""


def _trie(said: Mapping[Words, Value]) -> Tree:
    final: list[bool] = [False]
    arcs: list[dict[str, int]] = [{}]
    for words in said:
        state = 0
        for word in words:
            if word not in arcs[state]:
                arcs[state][word] = len(arcs)
                arcs.append({})
                final.append(False)
            state = arcs[state][word]
        final[state] = True
    return list(zip(final, arcs, strict=True))


class _Graph:
    """Graph with empty moves, while it is built."""

    def __init__(self) -> None:
        self.arcs: list[list[tuple[str, int]]] = [[]]
        self.empty: list[list[int]] = [[]]

    def state(self) -> int:
        self.arcs.append([])
        self.empty.append([])
        return len(self.arcs) - 1

    def splice(self, network: Network, start: int) -> int:
        """Copy `network` to follow `start`; return the state after it."""
        states = {0: start}
        after = self.state()
        for source, target, word in network.arcs:
            for state in (source, target):
                if state not in states:
                    states[state] = self.state()
            self.arcs[states[source]].append((word, states[target]))
        for final in network.finals:
            self.empty[states[final]].append(after)
        return after

    def determinised(self, end: int) -> Tree:
        """Return the deterministic graph, by subset construction; it is acyclic."""
        tree: Tree = []
        first = self._closure(frozenset((0,)))
        numbers = {first: 0}
        queue = [first]
        for subset in queue:
            moves: dict[str, set[int]] = {}
            for state in subset:
                for word, target in self.arcs[state]:
                    moves.setdefault(word, set()).add(target)
            arcs: dict[str, int] = {}
            for word, targets in moves.items():
                reached = self._closure(frozenset(targets))
                if reached not in numbers:
                    numbers[reached] = len(queue)
                    queue.append(reached)
                arcs[word] = numbers[reached]
            tree.append((end in subset, arcs))
        return tree

    def _closure(self, states: frozenset[int]) -> frozenset[int]:
        reached = set(states)
        stack = list(states)
        while stack:
            for state in self.empty[stack.pop()]:
                if state not in reached:
                    reached.add(state)
                    stack.append(state)
        return frozenset(reached)


def _minimal(tree: Tree) -> Network:
    """Merge states that accept the same endings."""
    classes: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
    of_state: dict[int, int] = {}
    stack = [0]
    while stack:
        state = stack[-1]
        final, arcs = tree[state]
        waiting = [target for target in arcs.values() if target not in of_state]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        signature = (final, tuple(sorted((word, of_state[to]) for word, to in arcs.items())))
        of_state[state] = classes.setdefault(signature, len(classes))
    start = of_state[0]
    renumber = {start: 0, 0: start}
    arcs_out: list[Arc] = []
    finals: list[int] = []
    for (final, moves), number in classes.items():
        source = renumber.get(number, number)
        if final:
            finals.append(source)
        arcs_out += [(source, renumber.get(to, to), word) for word, to in moves]
    return Network(tuple(arcs_out), tuple(finals))
