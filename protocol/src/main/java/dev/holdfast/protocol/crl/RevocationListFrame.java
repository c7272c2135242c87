package dev.holdfast.protocol.crl;

import dev.holdfast.protocol.der.DerReader;
import dev.holdfast.protocol.der.DerWriter;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1Encoding;

/// What stands around the entries of a list (RFC 5280 section 5.1), so that a list of a million entries can
/// be written without being held twice. Version 2, with the extensions of section 5.2 in this order:
/// authority key identifier, number, delta indicator (critical), issuing distribution point (critical),
/// freshest list.
public final class RevocationListFrame {
    /// Reasons (section 5.3.1) that are no state of a certificate.
    public static final int REMOVE_FROM_CRL = 8;

    private static final int AUTHORITY_KEY_IDENTIFIER = 35;
    private static final int CRL_NUMBER = 20;
    private static final int CRL_REASON = 21;
    private static final int DELTA_INDICATOR = 27;
    private static final int ISSUING_DISTRIBUTION_POINT = 28;
    private static final int FRESHEST_CRL = 46;
    private static final int URI = 0x86;

    private final byte[] algorithm;
    private final byte[] head;
    private final byte[] extensions;

    /// Which list it is among those of its issuer.
    ///
    /// @param number only grows, for complete lists and deltas of one scope together
    /// @param base of a delta: the number of the complete lists from which on it can be combined (section
    ///     5.2.4)
    /// @param points where the certificates in scope say that their list is found; empty when the scope
    ///     is everything the issuer has issued (section 5.2.5)
    /// @param deltas where the deltas to this list are found; empty in a delta (section 5.2.6)
    public record Scope(BigInteger number, Optional<BigInteger> base, List<String> points, List<String> deltas) {
        public Scope {
            points = List.copyOf(points);
            deltas = List.copyOf(deltas);
            if (base.isPresent() && (!deltas.isEmpty() || base.get().compareTo(number) >= 0)) {
                throw new IllegalArgumentException("a delta has no delta, and a number above its base's");
            }
        }
    }

    /// @param issuer its name, DER
    /// @param keyId the issuer's key identifier
    /// @param scheme of the signature, as Java names it
    public RevocationListFrame(
            byte[] issuer, byte[] keyId, String scheme, Instant thisUpdate, Instant nextUpdate, Scope scope) {
        try {
            algorithm = SignatureSchemes.identifier(scheme).getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("a constant that can't be encoded", e);
        }
        head = new DerWriter(issuer.length + 128)
                .time(nextUpdate)
                .time(thisUpdate)
                .bytes(issuer)
                .bytes(algorithm)
                .element(DerReader.INTEGER, new byte[] {1})
                .toByteArray();
        extensions = extensions(keyId, scope);
    }

    private static byte[] extensions(byte[] keyId, Scope scope) {
        DerWriter out = new DerWriter(512);
        if (!scope.deltas().isEmpty()) {
            int mark = out.mark();
            names(out, scope.deltas());
            out.header(DerReader.SEQUENCE, mark).header(DerReader.SEQUENCE, mark);
            extension(out, FRESHEST_CRL, false, mark);
        }
        if (!scope.points().isEmpty()) {
            int mark = out.mark();
            names(out, scope.points());
            out.header(DerReader.SEQUENCE, mark);
            extension(out, ISSUING_DISTRIBUTION_POINT, true, mark);
        }
        scope.base().ifPresent(base -> {
            int mark = out.mark();
            out.element(DerReader.INTEGER, base.toByteArray());
            extension(out, DELTA_INDICATOR, true, mark);
        });
        int number = out.mark();
        out.element(DerReader.INTEGER, scope.number().toByteArray());
        extension(out, CRL_NUMBER, false, number);
        int key = out.mark();
        out.element(0x80, keyId).header(DerReader.SEQUENCE, key);
        extension(out, AUTHORITY_KEY_IDENTIFIER, false, key);
        return out.header(DerReader.SEQUENCE, 0).header(DerReader.tagged(0), 0).toByteArray();
    }

    /// DistributionPointName, fullName.
    private static void names(DerWriter out, List<String> uris) {
        int mark = out.mark();
        for (String uri : uris.reversed()) {
            out.element(URI, uri.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        }
        out.header(DerReader.tagged(0), mark).header(DerReader.tagged(0), mark);
    }

    /// Around what has been written since the mark.
    private static void extension(DerWriter out, int arc, boolean critical, int mark) {
        out.header(DerReader.OCTET_STRING, mark);
        if (critical) {
            out.element(0x01, new byte[] {(byte) 0xff});
        }
        out.element(DerReader.OID, new byte[] {0x55, 0x1d, (byte) arc}).header(DerReader.SEQUENCE, mark);
    }

    /// An entry of the list.
    ///
    /// @param reason CRLReason's number; 0 is left out, as section 5.3.1 recommends
    public static byte[] entry(BigInteger serial, Instant at, int reason) {
        DerWriter out = new DerWriter(64);
        if (reason != 0) {
            out.element(DerReader.ENUMERATED, new byte[] {(byte) reason});
            extension(out, CRL_REASON, false, 0);
            out.header(DerReader.SEQUENCE, 0);
        }
        return out.time(at)
                .element(DerReader.INTEGER, serial.toByteArray())
                .header(DerReader.SEQUENCE, 0)
                .toByteArray();
    }

    /// What is signed, up to the first entry.
    ///
    /// @param entries the length of all entries together; a list without any has no field for them
    ///     (section 5.1.2.6)
    public byte[] before(int entries) {
        int behind = entries + extensions.length;
        DerWriter out = new DerWriter(head.length + 32);
        if (entries > 0) {
            out.headerOf(DerReader.SEQUENCE, entries);
        }
        out.bytes(head);
        return out.headerOf(DerReader.SEQUENCE, out.mark() + behind).toByteArray();
    }

    /// What is signed, after the last entry.
    public byte[] after() {
        return extensions.clone();
    }

    /// What stands before what is signed.
    public byte[] opening(int signed, byte[] signature) {
        return new DerWriter(8)
                .headerOf(DerReader.SEQUENCE, signed + closing(signature).length)
                .toByteArray();
    }

    /// What stands after it.
    public byte[] closing(byte[] signature) {
        return new DerWriter(signature.length + 64)
                .bitString(signature)
                .bytes(algorithm)
                .toByteArray();
    }

    /// The whole of a list that is not long.
    public byte[] list(byte[] entries, UnaryOperator<byte[]> signer) {
        byte[] contents = join(before(entries.length), entries, after());
        byte[] signature = signer.apply(contents);
        return join(opening(contents.length, signature), contents, closing(signature));
    }

    private static byte[] join(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
