package dev.holdfast.protocol.swu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads a cpio archive in the "new ASCII" format (magic 070701, or 070702 with checksums), which is what
/// SWUpdate
/// takes: 13 fields of 8 hexadecimal digits, the name, padding to 4 octets, the content, padding to 4 octets.
final class CpioReader {
    private static final int HEADER = 110;
    private static final int MOST_NAME = 256;

    private final InputStream in;
    private long position;
    private long remaining;

    CpioReader(InputStream in) {
        this.in = in;
    }

    record Member(String name, long size) {}

    /// The next member, whose content [#read] then gives; empty at the trailer.
    Optional<Member> next() throws IOException, SwuException {
        skip(remaining);
        pad();
        String header = new String(exactly(HEADER), StandardCharsets.US_ASCII);
        if (!header.startsWith("070701") && !header.startsWith("070702")) {
            throw malformed("not a cpio archive in the new ASCII format");
        }
        long size = field(header, 6);
        long nameLength = field(header, 11);
        if (nameLength < 2 || nameLength > MOST_NAME) {
            throw malformed("a member's name is too long");
        }
        String name = new String(exactly((int) nameLength), StandardCharsets.ISO_8859_1);
        pad();
        remaining = size;
        String bare = name.substring(0, name.length() - 1);
        return bare.equals("TRAILER!!!") ? Optional.empty() : Optional.of(new Member(bare, size));
    }

    /// Some of the present member's content; -1 at its end.
    int read(byte[] buffer) throws IOException, SwuException {
        if (remaining == 0) {
            return -1;
        }
        int read = in.read(buffer, 0, (int) Math.min(buffer.length, remaining));
        if (read < 0) {
            throw malformed("truncated");
        }
        remaining -= read;
        position += read;
        return read;
    }

    /// The present member's whole content.
    byte[] content(int most) throws IOException, SwuException {
        if (remaining > most) {
            throw malformed("a member is longer than " + most + " octets");
        }
        byte[] all = exactly((int) remaining);
        remaining = 0;
        return all;
    }

    private void skip(long count) throws IOException, SwuException {
        byte[] buffer = new byte[8192];
        while (remaining > 0 && count > 0) {
            read(buffer);
        }
    }

    private void pad() throws IOException, SwuException {
        int over = (int) (position % 4);
        if (over > 0) {
            exactly(4 - over);
        }
    }

    private byte[] exactly(int count) throws IOException, SwuException {
        byte @Nullable [] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw malformed("truncated");
        }
        position += count;
        return bytes;
    }

    private static long field(String header, int index) throws SwuException {
        int from = 6 + index * 8;
        try {
            return HexFormat.fromHexDigitsToLong(header, from, from + 8); // digits alone: no sign
        } catch (NumberFormatException e) {
            throw malformed("a header field is not hexadecimal");
        }
    }

    private static SwuException malformed(String detail) {
        return new SwuException(SwuException.Reason.MALFORMED, detail);
    }
}
