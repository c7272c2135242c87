package dev.holdfast.protocol.der;

import java.time.YearMonth;

/// Looks at the skeleton of DER before anything is parsed: tags, lengths, depth, number of elements, and what
/// the universal types have one form of. It does so without recursion, so that a message that is nothing but
/// nesting ends here and not on a parser's stack.
public final class DerShape {
    private static final int CONSTRUCTED = 0x20;
    private static final int UNIVERSAL = 0xc0;
    private static final int SET = 0x31;
    private static final int MOST_DEPTH = 48;
    private static final int MOST_ELEMENTS = 8_000;

    private final byte[] der;
    private final int[] ends = new int[MOST_DEPTH];
    private int depth;
    private int at;

    private DerShape(byte[] der) {
        this.der = der;
        this.ends[0] = der.length;
    }

    /// X.690 sections 8.1 and 10.1: one element and nothing after it, definite lengths in their shortest
    /// form; sections 8.3, 8.19, 10.2, 11.1 and 11.2: BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER
    /// as DER has them, and no string in pieces. What depends on a structure (defaults left out, sets sorted)
    /// is for who knows it.
    ///
    /// @throws DerFormatException when it is not so, or too deep, or of too many parts
    public static void require(byte[] der) throws DerFormatException {
        new DerShape(der).walk();
    }

    private void walk() throws DerFormatException {
        for (int elements = 0; ; elements++) {
            while (at == ends[depth]) {
                if (depth == 0) {
                    return;
                }
                depth--;
            }
            if (depth == 0 && elements > 0) {
                throw fault("octets after the message, which is one element");
            }
            if (elements >= MOST_ELEMENTS) {
                throw fault("too many parts");
            }
            step();
        }
    }

    private void step() throws DerFormatException {
        int tag = next();
        if ((tag & 0x1f) == 0x1f) {
            throw fault("a tag of more than one octet");
        }
        int length = length();
        if (length > ends[depth] - at) {
            throw fault("a part that is longer than the whole");
        }
        if ((tag & UNIVERSAL) == 0 && !isOneForm(tag, length)) {
            throw fault("a value that is not in its one form");
        }
        if ((tag & CONSTRUCTED) == 0) {
            at += length;
        } else if (depth + 1 == MOST_DEPTH) {
            throw fault("nested too deeply");
        } else {
            ends[++depth] = at + length;
        }
    }

    /// OCTET STRING and the strings are taken as they are, times when the calendar has them; of the rest, what
    /// certificates and messages are made of and nothing else: not the end of BER's indefinite lengths, no string
    /// in pieces, no REAL.
    private boolean isOneForm(int tag, int length) {
        return switch (tag) {
            case 0x01 -> length == 1 && (der[at] == 0 || der[at] == -1);
            case 0x02, 0x0a -> isShortest(length);
            case 0x03 -> isPadded(length);
            case 0x05 -> length == 0;
            case 0x06 -> isIdentifier(length);
            case 0x17 -> length == 13 && isInTheCalendar(2) && endsAsTimesDo(12, length);
            case 0x18 -> length >= 15 && isInTheCalendar(4) && endsAsTimesDo(14, length);
            case 0x04, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a, 0x1b, 0x1c, 0x1e -> true;
            default -> tag == DerReader.SEQUENCE || tag == SET;
        };
    }

    private boolean isShortest(int length) {
        return length == 1
                || (length > 1 && !(der[at] == 0 && der[at + 1] >= 0) && !(der[at] == -1 && der[at + 1] < 0));
    }

    /// The bits that are not in use are 0.
    private boolean isPadded(int length) {
        if (length == 0 || der[at] < 0 || der[at] > 7) {
            return false;
        }
        return length == 1 ? der[at] == 0 : (der[at + length - 1] & ((1 << der[at]) - 1)) == 0;
    }

    private boolean isIdentifier(int length) {
        boolean begins = true;
        for (int i = 0; i < length; i++) {
            if (begins && (der[at + i] & 0xff) == 0x80) {
                return false;
            }
            begins = der[at + i] >= 0;
        }
        return length > 0 && begins;
    }

    /// Sections 11.7 and 11.8: to the second. A 31st of June is the first of July to some who read it.
    private boolean isInTheCalendar(int digitsOfYear) {
        int[] parts = new int[6];
        int from = at;
        for (int i = 0; i < parts.length; i++) {
            for (int digits = i == 0 ? digitsOfYear : 2; digits > 0; digits--) {
                int digit = der[from++] - '0';
                if (digit < 0 || digit > 9) {
                    return false;
                }
                parts[i] = parts[i] * 10 + digit;
            }
        }
        int year = digitsOfYear == 4 ? parts[0] : parts[0] + (parts[0] < 50 ? 2000 : 1900);
        return parts[1] >= 1
                && parts[1] <= 12
                && parts[2] >= 1
                && parts[2] <= YearMonth.of(year, parts[1]).lengthOfMonth()
                && parts[3] < 24
                && parts[4] < 60
                && parts[5] < 60;
    }

    /// In universal time; before that perhaps a fraction of the second without a zero at its end (section 11.7.3).
    ///
    /// @param whole how many digits there are to the second
    private boolean endsAsTimesDo(int whole, int length) {
        int end = at + length - 1;
        int from = at + whole;
        if (der[end] != 'Z' || from == end) {
            return der[end] == 'Z';
        }
        if (der[from] != '.' || from + 1 == end || der[end - 1] == '0') {
            return false;
        }
        for (int i = from + 1; i < end; i++) {
            if (der[i] < '0' || der[i] > '9') {
                return false;
            }
        }
        return true;
    }

    private int length() throws DerFormatException {
        int first = next();
        if (first < 0x80) {
            return first;
        }
        int octets = first & 0x7f;
        if (octets == 0 || octets > 3) {
            throw fault("a length that DER does not have");
        }
        int length = 0;
        for (int i = 0; i < octets; i++) {
            length = (length << 8) | next();
        }
        if (length < 0x80 || (octets > 1 && length >> (8 * (octets - 1)) == 0)) {
            throw fault("a length that is not in its shortest form");
        }
        return length;
    }

    private int next() throws DerFormatException {
        if (at >= ends[depth]) {
            throw fault("it ends too early");
        }
        return der[at++] & 0xff;
    }

    private static DerFormatException fault(String what) {
        return new DerFormatException("not DER: " + what);
    }
}
