package dev.holdfast.protocol.der;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;

/// Writes DER from the back: contents first, then the header over them, so that every length is known when
/// it is written and nothing is copied twice.
///
/// ```
/// int end = out.mark();
/// out.bytes(second).bytes(first).header(DerReader.SEQUENCE, end);
/// ```
public final class DerWriter {
    private byte[] buffer;
    private int at;

    /// @param size about how much will be written
    public DerWriter(int size) {
        buffer = new byte[Math.max(16, size)];
        at = buffer.length;
    }

    /// Where what is written next will end.
    public int mark() {
        return buffer.length - at;
    }

    public DerWriter bytes(byte[] bytes) {
        room(bytes.length);
        at -= bytes.length;
        System.arraycopy(bytes, 0, buffer, at, bytes.length);
        return this;
    }

    public DerWriter octet(int value) {
        room(1);
        buffer[--at] = (byte) value;
        return this;
    }

    /// Tag and length of everything written since the mark.
    public DerWriter header(int tag, int mark) {
        return headerOf(tag, mark() - mark);
    }

    /// Tag and length of contents that are written elsewhere.
    public DerWriter headerOf(int tag, int length) {
        if (length < 0x80) {
            octet(length);
        } else {
            int octets = 0;
            for (int left = length; left > 0; left >>>= 8) {
                octet(left);
                octets++;
            }
            octet(0x80 | octets);
        }
        return octet(tag);
    }

    /// A whole element.
    public DerWriter element(int tag, byte[] contents) {
        int mark = mark();
        return bytes(contents).header(tag, mark);
    }

    /// A BIT STRING of whole octets.
    public DerWriter bitString(byte[] contents) {
        int mark = mark();
        return bytes(contents).octet(0).header(DerReader.BIT_STRING, mark);
    }

    /// GeneralizedTime to the second (RFC 5280 section 4.1.2.5.2).
    public DerWriter generalizedTime(Instant at) {
        LocalDateTime time = LocalDateTime.ofInstant(at, ZoneOffset.UTC);
        int mark = mark();
        return dayAndTime(time)
                .digits(time.getYear() % 100)
                .digits(time.getYear() / 100)
                .header(DerReader.GENERALIZED_TIME, mark);
    }

    /// Time as certificates and lists have it: UTCTime until 2049, GeneralizedTime after (RFC 5280 section
    /// 4.1.2.5).
    public DerWriter time(Instant at) {
        LocalDateTime time = LocalDateTime.ofInstant(at, ZoneOffset.UTC);
        if (time.getYear() < 1950 || time.getYear() > 2049) {
            return generalizedTime(at);
        }
        int mark = mark();
        return dayAndTime(time).digits(time.getYear() % 100).header(DerReader.UTC_TIME, mark);
    }

    private DerWriter dayAndTime(LocalDateTime time) {
        return octet('Z')
                .digits(time.getSecond())
                .digits(time.getMinute())
                .digits(time.getHour())
                .digits(time.getDayOfMonth())
                .digits(time.getMonthValue());
    }

    private DerWriter digits(int value) {
        return octet('0' + value % 10).octet('0' + value / 10);
    }

    private void room(int wanted) {
        if (at < wanted) {
            int used = mark();
            byte[] larger = new byte[Math.max(buffer.length * 2, used + wanted)];
            at = larger.length - used;
            System.arraycopy(buffer, buffer.length - used, larger, at, used);
            buffer = larger;
        }
    }

    /// All that was written.
    public byte[] toByteArray() {
        return Arrays.copyOfRange(buffer, at, buffer.length);
    }
}
