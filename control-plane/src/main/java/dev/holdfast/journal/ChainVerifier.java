package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import java.util.List;
import java.util.Optional;

/// Walks the chain from its first entry and names the first that was altered, removed, added or moved.
final class ChainVerifier {
    private static final int PAGE = 5_000;
    private final JournalStore store;

    ChainVerifier(JournalStore store) {
        this.store = store;
    }

    Optional<Journal.Fault> verify() {
        Journal.Head head = store.head();
        long expected = 1;
        Digest previous = Recorded.GENESIS;
        while (true) {
            List<Recorded> page = store.read(expected - 1, PAGE);
            for (Recorded entry : page) {
                if (entry.number() > head.number()) {
                    break; // written while we read
                }
                Optional<Journal.Fault> fault = check(entry, expected, previous);
                if (fault.isPresent()) {
                    return fault;
                }
                previous = entry.chainHash();
                expected++;
            }
            if (page.size() < PAGE || expected > head.number()) {
                break;
            }
        }
        if (expected - 1 != head.number()) {
            return Optional.of(new Journal.Fault(expected, "missing: the head says there are " + head.number()));
        }
        if (!previous.equals(head.chainHash())) {
            return Optional.of(new Journal.Fault(head.number(), "the head's hash is not the last entry's"));
        }
        return Optional.empty();
    }

    private static Optional<Journal.Fault> check(Recorded entry, long expected, Digest previous) {
        if (entry.number() != expected) {
            return Optional.of(new Journal.Fault(expected, "missing: the next one found is " + entry.number()));
        }
        if (!Recorded.leaf(entry.content()).equals(entry.leafHash())) {
            return Optional.of(new Journal.Fault(expected, "its content was altered"));
        }
        if (!Recorded.chain(previous, entry.leafHash()).equals(entry.chainHash())) {
            return Optional.of(new Journal.Fault(expected, "it does not follow the entry before it"));
        }
        if (entry.json().path("number").asLong() != expected) {
            return Optional.of(new Journal.Fault(expected, "it stands in another place than it was written"));
        }
        return Optional.empty();
    }
}
