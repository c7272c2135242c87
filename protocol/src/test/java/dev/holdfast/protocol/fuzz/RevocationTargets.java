package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.ocsp.OcspFormatException;
import dev.holdfast.protocol.ocsp.OcspRequest;
import dev.holdfast.protocol.tsp.SignedTime;
import dev.holdfast.protocol.tsp.TimeFormatException;
import dev.holdfast.protocol.tsp.TimeStampAuthority;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPRequest;
import org.bouncycastle.asn1.ocsp.Request;
import org.bouncycastle.asn1.ocsp.TBSRequest;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Requests for status and for the time, and the answers that devices read.
final class RevocationTargets {
    private static final KeyPair KEY = StoredSeeds.key("stamping", Seeds::p256);
    private static final List<X509Certificate> CHAIN = StoredSeeds.of(
                    "stamping",
                    () -> List.of(
                            Certificates.der(Seeds.certificate(KEY, "stamping", KeyPurposeId.id_kp_timeStamping, true)),
                            Certificates.der(Seeds.root(KEY))))
            .stream()
            .map(RequestTargets::read)
            .toList();
    private static final TimeStampAuthority AUTHORITY = new TimeStampAuthority(
            CHAIN.getFirst(),
            List.of(),
            new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
            message -> Crypto.sign(KEY.getPrivate(), "SHA256withECDSA", message));
    private static final SignedTime ASKED = new SignedTime(BigInteger.valueOf(123_456_789));

    private RevocationTargets() {}

    static List<FuzzTarget> all() {
        return List.of(
                new FuzzTarget("ocsp-request", 3_000, RevocationTargets::status, List.of(ocsp(false), ocsp(true))),
                new FuzzTarget("time-stamp-request", 800, RevocationTargets::stamped, List.of(ASKED.request())),
                new FuzzTarget(
                        "time-stamp-answer",
                        800,
                        RevocationTargets::time,
                        StoredSeeds.of(
                                "time-stamp-answer",
                                () -> List.of(AUTHORITY.answer(ASKED.request(), BigInteger.TWO, Seeds.NOW)))));
    }

    private static byte[] ocsp(boolean nonce) {
        CertID id = new CertID(
                new AlgorithmIdentifier(OIWObjectIdentifiers.idSHA1),
                new DEROctetString(new byte[20]),
                new DEROctetString(new byte[20]),
                new ASN1Integer(77));
        try {
            Extensions extensions = nonce
                    ? new Extensions(new Extension(
                            OCSPObjectIdentifiers.id_pkix_ocsp_nonce,
                            false,
                            new DEROctetString(new byte[32]).getEncoded()))
                    : null;
            return new OCSPRequest(new TBSRequest(null, new DERSequence(new Request(id, null)), extensions), null)
                    .getEncoded();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A list with one certificate on it, for what reads lists.
    static byte[] list() {
        try {
            return new X509v2CRLBuilder(new X500Name("CN=issuer"), Date.from(Seeds.NOW))
                    .addCRLEntry(BigInteger.TWO, Date.from(Seeds.NOW), CRLReason.keyCompromise)
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(KEY.getPrivate()))
                    .getEncoded();
        } catch (IOException | OperatorCreationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean status(byte[] input) {
        try {
            OcspRequest.parse(input);
            Seeds.requireDer(input);
            return true;
        } catch (OcspFormatException expected) {
            return false;
        }
    }

    /// Whatever is asked, there is an answer.
    private static boolean stamped(byte[] input) {
        return AUTHORITY.answer(input, BigInteger.ONE, Seeds.NOW).length > 0;
    }

    private static boolean time(byte[] input) {
        try {
            return ASKED.verify(input, CHAIN.getLast()).equals(Seeds.NOW);
        } catch (TimeFormatException expected) {
            return false;
        }
    }
}
