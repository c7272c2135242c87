package dev.holdfast.protocol.ocsp;

import dev.holdfast.protocol.der.DerFormatException;
import dev.holdfast.protocol.der.DerReader;
import dev.holdfast.protocol.der.DerShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A question about certificates (RFC 6960 section 4.1), read strictly. A requestor's signature is neither
/// needed nor looked at.
public final class OcspRequest {
    private static final int MOST_OCTETS = 16 * 1024;
    private static final int MOST_CERTIFICATES = 16;
    /// RFC 9654 section 2.1.
    private static final int LONGEST_NONCE = 128;

    /// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2
    static final byte[] NONCE = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};

    private final List<CertificateId> certificates;
    private final byte @Nullable [] nonce;

    private OcspRequest(List<CertificateId> certificates, byte @Nullable [] nonce) {
        this.certificates = List.copyOf(certificates);
        this.nonce = nonce;
    }

    public List<CertificateId> certificates() {
        return certificates;
    }

    /// The nonce's octets, 1 to 128 of them.
    public Optional<byte[]> nonce() {
        return Optional.ofNullable(nonce).map(byte[]::clone);
    }

    /// @throws OcspFormatException when it is not a request of version 1, asks for more than 16
    ///     certificates, has a nonce that is empty or longer than 128 octets (RFC 9654 section 2.1), or
    ///     wants an extension that is critical and not known here (RFC 6960 section 4.4)
    public static OcspRequest parse(byte[] der) throws OcspFormatException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw new OcspFormatException("a request of " + der.length + " octets is not accepted");
        }
        try {
            DerShape.require(der); // also of what is not looked at: a name, a signature, unknown extensions
            DerReader all = DerReader.of(der);
            DerReader request = all.enter(DerReader.SEQUENCE);
            all.end();
            DerReader contents = request.enter(DerReader.SEQUENCE);
            if (request.isNext(DerReader.tagged(0))) {
                request.element(); // the requestor's signature
            }
            request.end();
            return contents(contents);
        } catch (DerFormatException e) {
            throw new OcspFormatException("not an OCSP request", e);
        }
    }

    private static OcspRequest contents(DerReader contents) throws DerFormatException {
        if (contents.isNext(DerReader.tagged(0))) {
            // DER leaves a default out; requests that spell version 1 out are met and harmless.
            if (!contents.element().enter(DerReader.INTEGER).holds(new byte[] {0})) {
                throw new DerFormatException("not version 1");
            }
        }
        if (contents.isNext(DerReader.tagged(1))) {
            contents.element(); // the requestor's name
        }
        DerReader list = contents.enter(DerReader.SEQUENCE);
        List<CertificateId> certificates = new ArrayList<>(1);
        while (list.hasMore()) {
            if (certificates.size() == MOST_CERTIFICATES) {
                throw new DerFormatException("ask for 1 to " + MOST_CERTIFICATES + " certificates at once");
            }
            DerReader one = list.enter(DerReader.SEQUENCE);
            certificates.add(CertificateId.read(one));
            if (one.isNext(DerReader.tagged(0))) {
                extensions(one.element());
            }
            one.end();
        }
        if (certificates.isEmpty()) {
            throw new DerFormatException("no certificate is asked for");
        }
        byte[] nonce = contents.isNext(DerReader.tagged(2)) ? extensions(contents.element()) : null;
        contents.end();
        return new OcspRequest(certificates, nonce);
    }

    /// @return the nonce among them, if there is one
    private static byte @Nullable [] extensions(DerReader tagged) throws DerFormatException {
        DerReader all = tagged.enter(DerReader.SEQUENCE);
        tagged.end();
        byte[] nonce = null;
        while (all.hasMore()) {
            DerReader extension = all.enter(DerReader.SEQUENCE);
            DerReader oid = extension.enter(DerReader.OID);
            boolean critical = extension.optionalBoolean();
            DerReader value = extension.enter(DerReader.OCTET_STRING);
            extension.end();
            if (oid.holds(NONCE)) {
                if (nonce != null) {
                    throw new DerFormatException("two nonces");
                }
                DerReader inner = value.enter(DerReader.OCTET_STRING);
                value.end();
                if (inner.length() == 0 || inner.length() > LONGEST_NONCE) {
                    throw new DerFormatException("a nonce has 1 to " + LONGEST_NONCE + " octets");
                }
                nonce = inner.bytes();
            } else if (critical) {
                throw new DerFormatException("an extension that is critical and not known here");
            }
        }
        return nonce;
    }
}
