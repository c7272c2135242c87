package dev.holdfast.attestation;

import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.protocol.tpm.PcrSelection;
import dev.holdfast.protocol.tpm.PcrValues;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// How the PCRs of a model's devices are judged.
///
/// @param selection that each quote must cover
/// @param firstUse while the model has no reference values: what a device has when it is first seen is taken
///     for good
/// @param every how often a device must attest; empty where no interval is asked for
public record PcrPolicy(PcrSelection selection, boolean firstUse, Optional<Duration> every) {
    private static final Duration OFTEN = Duration.ofMinutes(1);
    private static final Duration SELDOM = Duration.ofDays(366);

    /// Where nobody has said otherwise: the boot chain, and nothing is taken for good that nobody has approved.
    public static final PcrPolicy USUAL =
            new PcrPolicy(PcrSelection.parse("sha256:0,1,2,3,4,5,6,7"), false, Optional.empty());

    public PcrPolicy {
        if (every.filter(d -> d.compareTo(OFTEN) < 0 || d.compareTo(SELDOM) > 0).isPresent()) {
            throw new IllegalArgumentException("a device attests every minute at most, and once a year at least");
        }
    }

    /// What the judgement comes to.
    sealed interface Judgement {
        record Matched(PcrReference reference) implements Judgement {}

        /// @param values of the registers asked for
        record FirstSeen(Map<String, String> values) implements Judgement {
            public FirstSeen {
                values = Map.copyOf(values);
            }
        }

        /// @param expected what the values are nearest to, of those in force
        record Refused(Found found, Optional<PcrReference> expected) implements Judgement {}
    }

    /// 1. Every register asked for is quoted.
    /// 2. Values that count are those of the model, those an operator approved for this device, and, while
    ///    the model has none, those it had first.
    /// 3. A match with one in force is good, unless this device has been at a later one of the model's.
    /// 4. A match with a superseded one is a step back; none at all is unknown.
    ///
    /// @param references of the device and of its model
    /// @param runs the firmware that the device says it runs; only decides which values it is compared with
    /// @param last the generation of the model's references that this device had last; 0 for none
    Judgement judge(PcrValues quoted, List<PcrReference> references, Optional<FirmwareVersion> runs, long last) {
        Map<String, String> registers = quoted.byName();
        Map<String, String> asked = new TreeMap<>();
        for (int register : selection.registers()) {
            String name = selection.bank().text() + ":" + register;
            String value = registers.get(name);
            if (value == null) {
                return refused(
                        TpmFault.PCRS_MISSING,
                        "the quote lacks " + name + "; quote " + selection.text(),
                        Optional.empty());
            }
            asked.put(name, value);
        }
        boolean modelHasSome = references.stream().anyMatch(r -> r.origin() == PcrReference.Origin.MODEL);
        List<PcrReference> counting = references.stream()
                .filter(r -> r.origin() != PcrReference.Origin.FIRST_USE || (firstUse && !modelHasSome))
                .toList();
        Optional<PcrReference> match = counting.stream()
                .filter(r -> r.matches(registers))
                .max(Comparator.<PcrReference>comparingInt(r -> r.superseded() ? 0 : 1)
                        .thenComparingLong(PcrReference::generation));
        if (match.isEmpty()) {
            Optional<PcrReference> expected = nearest(counting, registers, runs);
            return counting.isEmpty() && firstUse
                    ? new Judgement.FirstSeen(asked)
                    : refused(
                            TpmFault.PCR_VALUES_NOT_APPROVED,
                            "nobody has approved what these registers hold: "
                                    + expected.map(r -> r.differences(registers).keySet() + " differ from '" + r.name()
                                                    + "'")
                                            .orElse("there are no reference values in force"),
                            expected);
        }
        PcrReference found = match.get();
        if (found.superseded()) {
            return refused(
                    TpmFault.PCR_REGRESSION,
                    "the values are those of '" + found.name() + "', which is superseded",
                    nearest(counting, registers, runs));
        }
        if (found.origin() == PcrReference.Origin.MODEL && found.generation() < last) {
            return refused(
                    TpmFault.PCR_REGRESSION,
                    "the values are those of '" + found.name() + "'; this device has been at later ones",
                    nearest(
                            counting.stream()
                                    .filter(r -> r.generation() > found.generation())
                                    .toList(),
                            registers,
                            runs));
        }
        return new Judgement.Matched(found);
    }

    private static Judgement refused(TpmFault fault, String detail, Optional<PcrReference> expected) {
        return new Judgement.Refused(new Found(fault, detail), expected);
    }

    /// Those in force of the firmware that the device says it runs, else those that differ least, else the
    /// newest.
    private static Optional<PcrReference> nearest(
            List<PcrReference> references, Map<String, String> registers, Optional<FirmwareVersion> runs) {
        return references.stream()
                .filter(r -> !r.superseded())
                .max(Comparator.<PcrReference>comparingInt(r -> runs.isPresent() && runs.equals(r.firmware()) ? 1 : 0)
                        .thenComparingInt(r -> -r.differences(registers).size())
                        .thenComparingLong(PcrReference::generation));
    }
}
