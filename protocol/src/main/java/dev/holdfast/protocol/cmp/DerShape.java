package dev.holdfast.protocol.cmp;

/// Looks at the skeleton of DER before anything is parsed: tags, lengths, depth, number of elements. It does
/// so without recursion, so that a message that is nothing but nesting ends here and not on a parser's stack.
final class DerShape {
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
    /// form.
    ///
    /// @throws CmpException when it is not so, or too deep, or of too many parts
    static void require(byte[] der) throws CmpException {
        new DerShape(der).walk();
    }

    private void walk() throws CmpException {
        for (int elements = 0; ; elements++) {
            while (at == ends[depth]) {
                if (depth == 0) {
                    return;
                }
                depth--;
            }
            if (depth == 0 && elements > 0) {
                throw fault("octets after the message");
            }
            if (elements >= MOST_ELEMENTS) {
                throw fault("too many parts");
            }
            step();
        }
    }

    private void step() throws CmpException {
        int tag = next();
        if ((tag & 0x1f) == 0x1f) {
            throw fault("a tag that CMP does not have");
        }
        int length = length();
        if (length > ends[depth] - at) {
            throw fault("a part that is longer than the whole");
        }
        if ((tag & 0x20) == 0) {
            at += length;
        } else if (depth + 1 == MOST_DEPTH) {
            throw fault("nested too deeply");
        } else {
            ends[++depth] = at + length;
        }
    }

    private int length() throws CmpException {
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

    private int next() throws CmpException {
        if (at >= ends[depth]) {
            throw fault("it ends too early");
        }
        return der[at++] & 0xff;
    }

    private static CmpException fault(String what) {
        return new CmpException(CmpFailure.BAD_DATA_FORMAT, "not a DER message: " + what);
    }
}
