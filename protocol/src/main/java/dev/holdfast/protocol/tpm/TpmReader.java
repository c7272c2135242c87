package dev.holdfast.protocol.tpm;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/// Reads TPM structures: big-endian numbers, and buffers with a length of two octets before them (TPM2B).
final class TpmReader {
    private final ByteBuffer in;
    private final String what;

    /// @param what is read, for messages
    /// @param most octets that it may have
    TpmReader(String what, byte[] bytes, int most) throws TpmFormatException {
        if (bytes.length > most) {
            throw TpmFormatException.malformed(what + " of " + bytes.length + " octets is not accepted");
        }
        this.what = what;
        this.in = ByteBuffer.wrap(bytes);
    }

    private void need(int octets) throws TpmFormatException {
        if (in.remaining() < octets) {
            throw TpmFormatException.malformed(what + " ends in the middle");
        }
    }

    int u8() throws TpmFormatException {
        need(1);
        return in.get() & 0xff;
    }

    int u16() throws TpmFormatException {
        need(2);
        return in.getShort() & 0xffff;
    }

    long u32() throws TpmFormatException {
        need(4);
        return in.getInt() & 0xffff_ffffL;
    }

    long u64() throws TpmFormatException {
        need(8);
        return in.getLong();
    }

    byte[] octets(int count) throws TpmFormatException {
        need(count);
        byte[] read = new byte[count];
        in.get(read);
        return read;
    }

    /// A TPM2B of at most so many octets.
    byte[] sized(int most) throws TpmFormatException {
        int size = u16();
        if (size > most) {
            throw TpmFormatException.malformed(what + " has a field of " + size + " octets, at most " + most);
        }
        return octets(size);
    }

    String sizedHex(int most) throws TpmFormatException {
        return HexFormat.of().formatHex(sized(most));
    }

    int remaining() {
        return in.remaining();
    }

    /// Octets after the end are refused: a signature or a name over them could mean two things.
    void end() throws TpmFormatException {
        if (in.hasRemaining()) {
            throw TpmFormatException.malformed(what + " has octets after its end");
        }
    }
}
