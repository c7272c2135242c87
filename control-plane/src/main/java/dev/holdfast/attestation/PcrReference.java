package dev.holdfast.attestation;

import dev.holdfast.core.FirmwareVersion;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Values that PCRs may have.
///
/// @param generation later approvals have greater ones
/// @param name for people
/// @param firmware the version whose boot leads to these values, where it is known
/// @param values `sha256:7` to its digest, hexadecimal
/// @param superseded newer ones have replaced it
public record PcrReference(
        long generation,
        Origin origin,
        String name,
        Optional<FirmwareVersion> firmware,
        Map<String, String> values,
        boolean superseded) {
    /// Who says that the values are good.
    public enum Origin {
        /// An operator, for every device of the model.
        MODEL,
        /// An operator, for this device.
        DEVICE,
        /// Nobody: the device had them when it was first seen. Counts while its model has none.
        FIRST_USE
    }

    public PcrReference {
        values = Map.copyOf(values);
    }

    /// Whether these registers hold what it says.
    boolean matches(Map<String, String> registers) {
        return registers.entrySet().containsAll(values.entrySet());
    }

    /// The registers that hold something else, with what they should hold.
    Map<String, String> differences(Map<String, String> registers) {
        Map<String, String> different = new TreeMap<>(values);
        different.entrySet().removeIf(e -> e.getValue().equals(registers.get(e.getKey())));
        return different;
    }

    /// The same values for the registers that it names.
    boolean isSameAs(Map<String, String> others) {
        return new TreeMap<>(values).equals(new TreeMap<>(others));
    }
}
