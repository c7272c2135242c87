package dev.holdfast.ca;

/// Tells a list of revoked certificates, which an authority may sign when asked, from a certificate, by the
/// first tags alone: so that no room outside this one can have a certificate signed that policy has not
/// granted.
final class ListContents {
    private static final int INTEGER = 0x02;
    private static final int SEQUENCE = 0x30;
    private static final int UTC_TIME = 0x17;
    private static final int GENERALIZED_TIME = 0x18;

    private final byte[] der;
    private int at;

    private ListContents(byte[] der) {
        this.der = der;
    }

    /// TBSCertList: version, signature, issuer, and then a time, where a certificate has its validity, a
    /// SEQUENCE.
    static boolean isList(byte[] der) {
        ListContents contents = new ListContents(der);
        return contents.enter(SEQUENCE)
                && contents.skip(INTEGER)
                && contents.skip(SEQUENCE)
                && contents.skip(SEQUENCE)
                && (contents.is(UTC_TIME) || contents.is(GENERALIZED_TIME));
    }

    private boolean is(int tag) {
        return at < der.length && (der[at] & 0xff) == tag;
    }

    private boolean enter(int tag) {
        return is(tag) && length() >= 0;
    }

    private boolean skip(int tag) {
        if (!is(tag)) {
            return false;
        }
        int length = length();
        at += Math.max(0, length);
        return length >= 0 && at <= der.length;
    }

    /// Reads tag and length (definite form only) and stands at the contents; -1 when there is no such length.
    private int length() {
        at++;
        if (at >= der.length) {
            return -1;
        }
        int first = der[at++] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int octets = first & 0x7f;
        if (octets == 0 || octets > 4 || at + octets > der.length) {
            return -1;
        }
        int length = 0;
        for (int i = 0; i < octets; i++) {
            length = (length << 8) | (der[at++] & 0xff);
        }
        return length < 0 || length > der.length ? -1 : length;
    }
}
