package dev.holdfast.identity;

import java.util.List;

/// What an appraisal of a TPM's evidence has found.
///
/// @param faults the nearest cause first; none when everything holds
/// @param software it is a program that imitates a TPM, or nothing says that it is not
public record TpmFacts(List<Found> faults, boolean software) {
    /// @param detail for people
    public record Found(TpmFault fault, String detail) {
        @Override
        public String toString() {
            return fault.text() + ": " + detail;
        }
    }

    public TpmFacts {
        faults = List.copyOf(faults);
    }
}
