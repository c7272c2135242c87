package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// A PKCS #10 request (RFC 2986) whose proof of possession has been verified: an instance means that whoever
/// made it holds the private key.
///
/// Only what a policy may look at is kept. Extensions other than the subject's alternative names and the wish
/// to be a CA are not even kept: certificates get theirs from the profile. Names are plain: see
/// [RequestedExtensions].
public final class CertificationRequest {
    private static final int MOST_OCTETS = 16 * 1024;
    private static final String KEYS = "keys are P-256, P-384, Ed25519, RSA from 3072 bits, or ML-DSA-65";

    private final byte[] der;
    private final X500Name subject;
    private final SubjectPublicKeyInfo publicKeyInfo;
    private final PublicKey publicKey;
    private final KeyKind keyKind;
    private final RequestedExtensions wanted;
    private final Optional<String> channelBinding;
    private final Optional<SubjectPublicKeyInfo> askedWith;

    /// Only for those who have verified the proof of possession.
    CertificationRequest(
            byte[] der,
            X500Name subject,
            SubjectPublicKeyInfo publicKeyInfo,
            PublicKey publicKey,
            RequestedExtensions wanted,
            Optional<String> channelBinding,
            Optional<SubjectPublicKeyInfo> askedWith)
            throws CertificationRequestException {
        RequestedExtensions.requirePlain(subject);
        this.der = der;
        this.subject = subject;
        this.publicKeyInfo = publicKeyInfo;
        this.publicKey = publicKey;
        this.keyKind = KeyKind.of(publicKey);
        this.wanted = wanted;
        this.channelBinding = channelBinding;
        this.askedWith = askedWith;
    }

    /// Only for those who have verified the proof of possession.
    CertificationRequest(
            byte[] der,
            X500Name subject,
            SubjectPublicKeyInfo publicKeyInfo,
            PublicKey publicKey,
            Optional<Extensions> extensions)
            throws CertificationRequestException {
        this(
                der,
                subject,
                publicKeyInfo,
                publicKey,
                extensions.isPresent() ? RequestedExtensions.read(extensions.get()) : RequestedExtensions.NONE,
                Optional.empty(),
                Optional.empty());
    }

    /// A request whose key we have made ourselves (RFC 7030 section 4.4).
    static CertificationRequest withServerKey(
            CertificationRequestInfo info, byte[] der, RequestAttributes attributes, PublicKey made)
            throws CertificationRequestException {
        return new CertificationRequest(
                der,
                info.getSubject(),
                SubjectPublicKeyInfo.getInstance(made.getEncoded()),
                made,
                attributes.extensions(),
                attributes.channelBinding(),
                Optional.of(info.getSubjectPublicKeyInfo()));
    }

    /// A request in CRMF (RFC 4211), as CMP carries it: subject, key and extensions are the template's, and
    /// the proof of possession is a signature.
    ///
    /// @throws CertificationRequestException with the reason
    public static CertificationRequest verify(CertReqMsg message) throws CertificationRequestException {
        return RequestMessage.verify(message);
    }

    /// Parses and verifies, in this order, so that hostile bytes cost as little as they can:
    /// 1. size, DER and structure (RFC 2986 section 4);
    /// 2. the key: of a kind and strength that may be verified with at all;
    /// 3. the signature scheme: one that fits the key, SHA-256 or better;
    /// 4. the signature over certificationRequestInfo.
    ///
    /// @throws CertificationRequestException with the reason
    public static CertificationRequest verify(byte[] der) throws CertificationRequestException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw malformed("a request of " + der.length + " octets is not accepted", null);
        }
        try {
            org.bouncycastle.asn1.pkcs.CertificationRequest parsed = parse(der);
            CertificationRequestInfo info = parsed.getCertificationRequestInfo();
            SubjectPublicKeyInfo keyInfo = info.getSubjectPublicKeyInfo();
            PublicKey key = key(keyInfo);
            byte[] signature = parsed.getSignature().getOctets();
            byte[] signed = info.getEncoded(ASN1Encoding.DER);
            if (!Crypto.verify(key, scheme(key, parsed.getSignatureAlgorithm()), signed, signature)) {
                throw new CertificationRequestException(
                        CertificationRequestException.Reason.SIGNATURE_WRONG,
                        "the request is not signed by the key it asks a certificate for");
            }
            RequestAttributes attributes = RequestAttributes.read(info);
            return new CertificationRequest(
                    der.clone(),
                    info.getSubject(),
                    keyInfo,
                    key,
                    attributes.extensions(),
                    attributes.channelBinding(),
                    Optional.empty());
        } catch (IOException | RuntimeException e) {
            throw malformed("not a PKCS #10 request", e);
        }
    }

    static org.bouncycastle.asn1.pkcs.CertificationRequest parse(byte[] der)
            throws IOException, CertificationRequestException {
        ASN1Primitive parsed = ASN1Primitive.fromByteArray(der);
        org.bouncycastle.asn1.pkcs.CertificationRequest request =
                org.bouncycastle.asn1.pkcs.CertificationRequest.getInstance(parsed);
        if (request == null || !Arrays.equals(request.getEncoded(ASN1Encoding.DER), der)) {
            throw malformed("not in DER", null);
        }
        if (request.getCertificationRequestInfo().getVersion().intValueExact() != 0) {
            throw malformed("version is not 0 (v1)", null);
        }
        return request;
    }

    /// The key, of a kind that certificates are issued for; whoever asks otherwise gets the reason.
    static PublicKey key(SubjectPublicKeyInfo info) throws IOException, CertificationRequestException {
        String name = Crypto.algorithm(info.getAlgorithm()).orElseThrow(() -> notAccepted(KEYS));
        if (name.equals("EC") && !(info.getAlgorithm().getParameters() instanceof ASN1ObjectIdentifier)) {
            throw notAccepted("the curve is not given by its name");
        }
        PublicKey key;
        try {
            key = Crypto.publicKey(name, info.getEncoded(ASN1Encoding.DER));
        } catch (GeneralSecurityException e) {
            throw notAccepted("the public key is not a valid one");
        }
        if (!Arrays.equals(key.getEncoded(), info.getEncoded(ASN1Encoding.DER))) {
            throw notAccepted("the public key is not in its usual form (points uncompressed)");
        }
        if (KnownWeakKeys.isOfSmallOrder(info)) {
            throw weak("the Ed25519 key is a point of small order");
        }
        if (PublishedKeys.has(info)) {
            throw weak("everybody has the private half of this key: it is a standard's example or a placeholder");
        }
        return switch (KeyKind.of(key)) {
            case EC_P256, EC_P384, ED25519, RSA, ML_DSA_65 -> key;
            case RSA_WEAK ->
                throw weak("RSA keys have 3072 to 4096 bits, an exponent of at least 65537 and no known weakness");
            case OTHER -> throw notAccepted(KEYS);
        };
    }

    private static CertificationRequestException weak(String why) {
        return new CertificationRequestException(CertificationRequestException.Reason.KEY_WEAK, why);
    }

    private static CertificationRequestException notAccepted(String why) {
        return new CertificationRequestException(CertificationRequestException.Reason.KEY_NOT_ACCEPTED, why);
    }

    static String scheme(PublicKey key, AlgorithmIdentifier algorithm) throws CertificationRequestException {
        return SignatureSchemes.fitting(key, algorithm)
                .orElseThrow(() -> new CertificationRequestException(
                        CertificationRequestException.Reason.SIGNATURE_SCHEME_NOT_ACCEPTED,
                        "sign with ECDSA or RSA (PKCS #1 v1.5) and SHA-256, SHA-384 or SHA-512, with Ed25519 or"
                                + " ML-DSA-65"));
    }

    /// Makes a request for this key, with the common name alone as subject.
    public static byte[] create(String commonName, KeyPair key) {
        X500Name subject = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, new DERUTF8String(commonName))
                .build();
        return create(subject, key);
    }

    /// Makes a request for this key.
    ///
    /// @throws IllegalArgumentException when the key is not of a kind used here
    public static byte[] create(X500Name subject, KeyPair key) {
        try {
            CertificationRequestInfo info = new CertificationRequestInfo(
                    subject, SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()), null);
            String scheme = Crypto.schemeFor(key.getPublic());
            byte[] signature = Crypto.sign(key.getPrivate(), scheme, info.getEncoded(ASN1Encoding.DER));
            return new org.bouncycastle.asn1.pkcs.CertificationRequest(
                            info, SignatureSchemes.identifier(scheme), new DERBitString(signature))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException("can't make a request for this key", e);
        }
    }

    private static CertificationRequestException malformed(
            String what, @org.jspecify.annotations.Nullable Exception cause) {
        return new CertificationRequestException(CertificationRequestException.Reason.MALFORMED, what, cause);
    }

    public byte[] der() {
        return der.clone();
    }

    /// The subject's one common name; empty where there is none or several.
    public Optional<String> commonName() {
        return Certificates.attribute(subject, BCStyle.CN);
    }

    /// The subject's serialNumber attribute.
    public Optional<String> productSerial() {
        return Certificates.attribute(subject, BCStyle.SERIALNUMBER);
    }

    /// Whether the subject has no attribute at all.
    public boolean subjectIsEmpty() {
        return subject.getRDNs().length == 0;
    }

    /// How many attributes the subject has.
    public int subjectAttributes() {
        return Arrays.stream(subject.getRDNs())
                .mapToInt(org.bouncycastle.asn1.x500.RDN::size)
                .sum();
    }

    public SubjectPublicKeyInfo publicKeyInfo() {
        return publicKeyInfo;
    }

    public PublicKey publicKey() {
        return publicKey;
    }

    public KeyKind keyKind() {
        return keyKind;
    }

    public List<String> alternativeNames() {
        return wanted.alternativeNames();
    }

    public boolean wantsToBeCa() {
        return wanted.wantsToBeCa();
    }

    /// What the request says about the TLS channel that it is sent by (RFC 7030 section 3.5), base64; it has
    /// to be compared with the channel.
    public Optional<String> channelBinding() {
        return channelBinding;
    }

    /// Whether the key was made here and not on the device.
    public boolean serverGenerated() {
        return askedWith.isPresent();
    }

    /// By what a request that is sent again is recognised: its key, or for a key that we make the one it was
    /// asked with.
    public SubjectPublicKeyInfo recognisedBy() {
        return askedWith.orElse(publicKeyInfo);
    }
}
