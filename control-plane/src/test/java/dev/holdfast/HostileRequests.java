package dev.holdfast;

import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.BERSequence;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// Requests (PKCS #10) that no door may grant, each wrong in one thing alone, for a device that may have a
/// certificate otherwise: what EST is shown by `RequestRefusalsTest`, for the doors beside it.
public final class HostileRequests {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final BigInteger F4 = BigInteger.valueOf(65_537);
    private static final BigInteger SMALL_FACTOR =
            BigInteger.valueOf(3).multiply(BigInteger.probablePrime(3_071, RANDOM));

    private final String device;
    private final KeyPair key;
    private final Optional<String> password;

    /// @param key that proofs of possession are made with; EC P-256 or RSA
    /// @param password a challengePassword in each request
    public HostileRequests(String device, KeyPair key, Optional<String> password) {
        this.device = device;
        this.key = key;
        this.password = password;
    }

    /// @param name of what is wrong, as issue and COVERAGE.md have it
    /// @param der false where the request is no DER, so that no message in DER can carry it
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Hostile(String name, byte[] request, EnrolmentRefusal reason, boolean der) {}

    public List<Hostile> all() throws IOException, GeneralSecurityException {
        List<Hostile> all = new ArrayList<>();
        add(all, "CA:TRUE", EnrolmentRefusal.REQUEST_WANTS_A_CA, extended(authority()));
        add(
                all,
                "unknown critical extension",
                EnrolmentRefusal.EXTENSION_NOT_ACCEPTED,
                extended(new Extension(
                        new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), true, new DERUTF8String("x").getEncoded())));
        add(all, "empty extension sequence", EnrolmentRefusal.EXTENSION_NOT_ACCEPTED, extended());
        add(all, "duplicate extension", EnrolmentRefusal.EXTENSION_NOT_ACCEPTED, extended(names(0), names(0)));
        add(all, "octets after an extension", EnrolmentRefusal.EXTENSION_NOT_ACCEPTED, extended(names(1)));
        keys(all);
        names(all);
        encodings(all);
        return all;
    }

    /// As it should be: what is asked for is granted.
    public byte[] good() throws IOException, GeneralSecurityException {
        return signed(name(device), Optional.empty());
    }

    private static void add(List<Hostile> all, String name, EnrolmentRefusal reason, byte[] request) {
        all.add(new Hostile(name, request, reason, true));
    }

    private void keys(List<Hostile> all) throws IOException {
        add(
                all,
                "weak key (RSA of 2048 bits)",
                EnrolmentRefusal.KEY_WEAK,
                unsigned(
                        rsa(SMALL_FACTOR.shiftRight(1_024).setBit(0), F4),
                        PKCSObjectIdentifiers.sha256WithRSAEncryption));
        add(
                all,
                "weak key (exponent 3)",
                EnrolmentRefusal.KEY_WEAK,
                unsigned(rsa(SMALL_FACTOR, BigInteger.valueOf(3)), PKCSObjectIdentifiers.sha256WithRSAEncryption));
        add(
                all,
                "known-bad key (a small factor)",
                EnrolmentRefusal.KEY_WEAK,
                unsigned(rsa(SMALL_FACTOR, F4), PKCSObjectIdentifiers.sha256WithRSAEncryption));
        byte[] point = SubjectPublicKeyInfo.getInstance(
                        Crypto.generateP256(RANDOM).getPublic().getEncoded())
                .getPublicKeyData()
                .getOctets();
        byte[] off = point.clone();
        off[64] ^= 1;
        add(
                all,
                "off-curve key",
                EnrolmentRefusal.KEY_NOT_ACCEPTED,
                unsigned(ec(off), X9ObjectIdentifiers.ecdsa_with_SHA256));
        byte[] compressed = Arrays.copyOf(point, 33);
        compressed[0] = (byte) (2 + (point[64] & 1));
        add(
                all,
                "key in an unusual form (compressed)",
                EnrolmentRefusal.KEY_NOT_ACCEPTED,
                unsigned(ec(compressed), X9ObjectIdentifiers.ecdsa_with_SHA256));
        byte[] one = new byte[32];
        one[0] = 1;
        add(
                all,
                "known-bad key (Ed25519 of small order)",
                EnrolmentRefusal.KEY_WEAK,
                unsigned(
                        new SubjectPublicKeyInfo(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), one),
                        EdECObjectIdentifiers.id_Ed25519));
        add(
                all,
                "signature by SHA-1",
                EnrolmentRefusal.SIGNATURE_SCHEME_NOT_ACCEPTED,
                unsigned(ec(point), X9ObjectIdentifiers.ecdsa_with_SHA1));
        add(
                all,
                "not signed by its key",
                EnrolmentRefusal.REQUEST_SIGNATURE_WRONG,
                unsigned(ec(point), X9ObjectIdentifiers.ecdsa_with_SHA256));
    }

    private void names(List<Hostile> all) throws IOException, GeneralSecurityException {
        add(
                all,
                "control character in a name",
                EnrolmentRefusal.NAME_NOT_ACCEPTED,
                signed(name(device + "\u0000.evil"), Optional.empty()));
        add(
                all,
                "look-alike in a name",
                EnrolmentRefusal.NAME_NOT_ACCEPTED,
                signed(name(device + "\u0456"), Optional.empty()));
    }

    private void encodings(List<Hostile> all) throws IOException, GeneralSecurityException {
        byte[] good = good();
        all.add(new Hostile(
                "trailing octet", Arrays.copyOf(good, good.length + 1), EnrolmentRefusal.MALFORMED_REQUEST, false));
        all.add(new Hostile(
                "BER",
                new BERSequence(ASN1Sequence.getInstance(good).toArray()).getEncoded(),
                EnrolmentRefusal.MALFORMED_REQUEST,
                false));
        add(
                all,
                "oversized request",
                EnrolmentRefusal.MALFORMED_REQUEST,
                signed(
                        name(device),
                        Optional.of(attribute(
                                PKCSObjectIdentifiers.pkcs_9_at_unstructuredName,
                                new DERUTF8String("x".repeat(17_000))))));
    }

    // ------------------------------------------------------------------ parts

    private static X500Name name(String text) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, new DERUTF8String(text))
                .build();
    }

    private static Extension authority() throws IOException {
        return new Extension(Extension.basicConstraints, false, new BasicConstraints(true).getEncoded());
    }

    private static Extension names(int more) throws IOException {
        byte[] names = new GeneralNames(new GeneralName(GeneralName.dNSName, "a.example.org")).getEncoded();
        return new Extension(
                Extension.subjectAlternativeName, false, new DEROctetString(Arrays.copyOf(names, names.length + more)));
    }

    private static SubjectPublicKeyInfo rsa(BigInteger modulus, BigInteger exponent) throws IOException {
        return new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                new RSAPublicKey(modulus, exponent));
    }

    private static SubjectPublicKeyInfo ec(byte[] point) {
        return new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp256r1), point);
    }

    private static DERSequence attribute(ASN1ObjectIdentifier type, ASN1Encodable value) {
        return new DERSequence(new ASN1Encodable[] {type, new DERSet(value)});
    }

    private byte[] extended(Extension... extensions) throws IOException, GeneralSecurityException {
        return signed(
                name(device),
                Optional.of(attribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new DERSequence(extensions))));
    }

    private byte[] signed(X500Name subject, Optional<DERSequence> attribute)
            throws IOException, GeneralSecurityException {
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        password.ifPresent(text -> attributes.add(
                attribute(PKCSObjectIdentifiers.pkcs_9_at_challengePassword, new DERPrintableString(text))));
        attribute.ifPresent(attributes::add);
        CertificationRequestInfo info = new CertificationRequestInfo(
                subject, SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()), new DERSet(attributes));
        boolean rsa = key.getPublic().getAlgorithm().equals("RSA");
        return new CertificationRequest(
                        info,
                        rsa
                                ? new AlgorithmIdentifier(
                                        PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE)
                                : new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
                        new DERBitString(Crypto.sign(
                                key.getPrivate(), Crypto.schemeFor(key.getPublic()), info.getEncoded("DER"))))
                .getEncoded("DER");
    }

    /// Around this key; the signature is nobody's.
    private byte[] unsigned(SubjectPublicKeyInfo info, ASN1ObjectIdentifier scheme) throws IOException {
        return new CertificationRequest(
                        new CertificationRequestInfo(name(device), info, new DERSet()),
                        scheme.equals(PKCSObjectIdentifiers.sha256WithRSAEncryption)
                                ? new AlgorithmIdentifier(scheme, DERNull.INSTANCE)
                                : new AlgorithmIdentifier(scheme),
                        new DERBitString(new byte[64]))
                .getEncoded("DER");
    }
}
