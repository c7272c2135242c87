package dev.holdfast.attestation;

import dev.holdfast.protocol.tpm.EventLog;
import dev.holdfast.protocol.tpm.PcrValues;
import dev.holdfast.protocol.tpm.TpmFormatException;
import dev.holdfast.protocol.tpm.TpmHash;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What becomes of an event log that was sent with a quote. It never decides whether a quote is good; it
/// explains. Pure.
sealed interface LogAppraisal {
    /// None was sent.
    record None() implements LogAppraisal {}

    /// It leads to what was quoted, so its digests are what was measured.
    record Replayed(MeasuredEvents events) implements LogAppraisal {}

    /// It is no evidence.
    record Refused(String why) implements LogAppraisal {}

    /// A log that was sent, before anything else is known: read outside of the transaction that decides.
    ///
    /// @param fault why it can't be read
    record Read(Optional<EventLog> log, Optional<String> fault) {
        static Read of(byte[] octets) {
            try {
                return new Read(Optional.of(EventLog.parse(octets)), Optional.empty());
            } catch (TpmFormatException e) {
                return new Read(Optional.empty(), Optional.of("malformed: " + e.getMessage()));
            }
        }
    }

    /// 1. A quote that is believed. 2. A log that can be read. 3. Each register that the log extends and the
    ///    quote has holds what the replay gives; registers that the log does not name are left alone. 4. At
    ///    least one.
    ///
    /// @param quoted only when the quote is believed
    static LogAppraisal of(Optional<Read> log, Optional<PcrValues> quoted) {
        if (log.isEmpty()) {
            return new None();
        }
        if (quoted.isEmpty()) {
            return new Refused("the quote that it belongs to is not believed");
        }
        if (log.get().log().isEmpty()) {
            return new Refused(log.get().fault().orElse("malformed"));
        }
        try {
            EventLog read = log.get().log().get();
            Map<String, List<MeasuredEvents.Measured>> explained = new TreeMap<>();
            for (TpmHash bank : TpmHash.values()) {
                List<PcrValues.Value> values = quoted.get().values().stream()
                        .filter(value -> value.bank() == bank)
                        .toList();
                if (values.isEmpty()) {
                    continue;
                }
                Map<Integer, String> replayed = read.replay(bank);
                for (PcrValues.Value value : values) {
                    String result = replayed.get(value.register());
                    if (result != null && !result.equals(value.digest())) {
                        return new Refused("not-replayed: it leads PCR " + value.register() + " (" + bank.text()
                                + ") to " + result + ", and the quote has " + value.digest());
                    }
                    if (result != null) {
                        explained.put(bank.text() + ":" + value.register(), measured(read, bank, value.register()));
                    }
                }
            }
            return explained.isEmpty()
                    ? new Refused("not-replayed: it extends none of the registers that are quoted")
                    : new Replayed(new MeasuredEvents(explained));
        } catch (TpmFormatException e) {
            return new Refused("malformed: " + e.getMessage());
        }
    }

    private static List<MeasuredEvents.Measured> measured(EventLog log, TpmHash bank, int register) {
        List<MeasuredEvents.Measured> all = new ArrayList<>();
        for (EventLog.Event event : log.events()) {
            if (event.isMeasured() && event.register() == register) {
                all.add(new MeasuredEvents.Measured(event.digests().getOrDefault(bank, ""), event.words(bank)));
            }
        }
        return all;
    }

    /// `replayed`, or why not; empty where none was sent.
    default Optional<String> text() {
        return switch (this) {
            case None _ -> Optional.empty();
            case Replayed _ -> Optional.of("replayed");
            case Refused refused -> Optional.of(refused.why());
        };
    }

    default Optional<MeasuredEvents> believed() {
        return this instanceof Replayed replayed ? Optional.of(replayed.events()) : Optional.empty();
    }
}
