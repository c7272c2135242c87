package dev.holdfast.protocol.tpm;

import java.io.ByteArrayOutputStream;

/// Writes what [TpmReader] reads.
final class TpmWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    TpmWriter u8(int value) {
        out.write(value);
        return this;
    }

    TpmWriter u16(int value) {
        return u8(value >>> 8).u8(value);
    }

    TpmWriter u32(long value) {
        return u16((int) (value >>> 16)).u16((int) value);
    }

    TpmWriter u64(long value) {
        return u32(value >>> 32).u32(value);
    }

    TpmWriter octets(byte[] octets) {
        out.writeBytes(octets);
        return this;
    }

    /// A TPM2B.
    TpmWriter sized(byte[] octets) {
        return u16(octets.length).octets(octets);
    }

    byte[] bytes() {
        return out.toByteArray();
    }
}
