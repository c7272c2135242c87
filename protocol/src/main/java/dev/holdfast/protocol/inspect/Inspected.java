package dev.holdfast.protocol.inspect;

import java.util.List;
import java.util.Optional;

/// One thing that a file holds, in words for people. It decides nothing: it says what there is and what is
/// wrong with it.
///
/// @param headline one sentence: what it is, whose, and whether it is good now
/// @param facts in the order in which a person asks
/// @param faults what is wrong with it, each a sentence; empty when nothing was found
/// @param serial of a certificate, lower-case hexadecimal without leading zeros, to ask the fleet about
/// @param der as it was read
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Inspected(
        Kind kind, String headline, List<Fact> facts, List<String> faults, Optional<String> serial, byte[] der) {

    public enum Kind {
        CERTIFICATE,
        REQUEST,
        REVOCATION_LIST,
        /// Said to be there, and not read.
        PRIVATE_KEY,
        UNREADABLE
    }

    /// @param name such as `Valid until`
    /// @param text safe to print: printable characters only
    public record Fact(String name, String text) {}

    public Inspected {
        facts = List.copyOf(facts);
        faults = List.copyOf(faults);
    }

    Inspected plus(List<Fact> moreFacts, List<String> moreFaults) {
        return new Inspected(
                kind,
                headline,
                java.util.stream.Stream.concat(facts.stream(), moreFacts.stream())
                        .toList(),
                java.util.stream.Stream.concat(faults.stream(), moreFaults.stream())
                        .toList(),
                serial,
                der);
    }
}
