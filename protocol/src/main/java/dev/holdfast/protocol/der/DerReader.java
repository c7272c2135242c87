package dev.holdfast.protocol.der;

import java.util.Arrays;

/// Reads DER strictly, from the front, without copying: definite lengths in their shortest form (X.690 section
/// 10.1), nothing after what was entered, no tag numbers above 30.
public final class DerReader {
    public static final int INTEGER = 0x02;
    public static final int BIT_STRING = 0x03;
    public static final int OCTET_STRING = 0x04;
    public static final int NULL = 0x05;
    public static final int OID = 0x06;
    public static final int ENUMERATED = 0x0a;
    public static final int UTC_TIME = 0x17;
    public static final int GENERALIZED_TIME = 0x18;
    public static final int SEQUENCE = 0x30;

    private final byte[] der;
    private final int end;
    private int at;

    private DerReader(byte[] der, int from, int end) {
        this.der = der;
        this.at = from;
        this.end = end;
    }

    public static DerReader of(byte[] der) {
        return new DerReader(der, 0, der.length);
    }

    /// The tag `[number]`, constructed, as EXPLICIT tagging has it.
    public static int tagged(int number) {
        return 0xa0 | number;
    }

    public boolean hasMore() {
        return at < end;
    }

    /// Whether an element of this tag comes next.
    public boolean isNext(int tag) {
        return at < end && (der[at] & 0xff) == tag;
    }

    /// The contents of the next element.
    public DerReader enter(int tag) throws DerFormatException {
        if (!isNext(tag)) {
            throw new DerFormatException("tag " + Integer.toHexString(tag) + " expected at octet " + at);
        }
        return element();
    }

    /// The contents of the next element, whatever it is.
    public DerReader element() throws DerFormatException {
        if (end - at < 2 || (der[at] & 0x1f) == 0x1f) {
            throw new DerFormatException("no element at octet " + at);
        }
        int contents = at + 2;
        int length = der[at + 1] & 0xff;
        if (length >= 0x80) {
            int octets = length & 0x7f;
            if (octets == 0 || octets > 3 || end - contents < octets || der[contents] == 0) {
                throw new DerFormatException("a length that is not DER at octet " + at);
            }
            length = 0;
            for (int i = 0; i < octets; i++) {
                length = (length << 8) | (der[contents++] & 0xff);
            }
            if (length < 0x80) {
                throw new DerFormatException("a length that is not in its shortest form at octet " + at);
            }
        }
        if (length > end - contents) {
            throw new DerFormatException("an element that is longer than what holds it at octet " + at);
        }
        at = contents + length;
        return new DerReader(der, contents, at);
    }

    /// The next element as it stands, tag and length included.
    public byte[] whole() throws DerFormatException {
        int from = at;
        DerReader _ = element();
        return Arrays.copyOfRange(der, from, at);
    }

    /// Nothing may follow.
    public void end() throws DerFormatException {
        if (at < end) {
            throw new DerFormatException("octets after the last element");
        }
    }

    public int length() {
        return end - at;
    }

    /// What is left of this element.
    public byte[] bytes() {
        return Arrays.copyOfRange(der, at, end);
    }

    /// What is left of this element, compared.
    public boolean holds(byte[] expected) {
        return Arrays.equals(der, at, end, expected, 0, expected.length);
    }

    /// What is left of this element, which is an INTEGER's contents: in its shortest form (section 8.3.2).
    public byte[] integer() throws DerFormatException {
        if (length() == 0) {
            throw new DerFormatException("an INTEGER without contents");
        }
        if (length() > 1 && ((der[at] == 0 && der[at + 1] >= 0) || (der[at] == -1 && der[at + 1] < 0))) {
            throw new DerFormatException("an INTEGER that is not in its shortest form");
        }
        return bytes();
    }

    /// The next element, a BOOLEAN (section 11.1: false is 00, true FF), where there is one.
    public boolean optionalBoolean() throws DerFormatException {
        if (!isNext(0x01)) {
            return false;
        }
        DerReader value = element();
        if (value.length() != 1 || (der[value.at] != 0 && der[value.at] != -1)) {
            throw new DerFormatException("a BOOLEAN that is not DER");
        }
        return der[value.at] != 0;
    }
}
