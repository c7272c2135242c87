package dev.holdfast.protocol.tsp;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cmp.PKIFailureInfo;
import org.bouncycastle.asn1.cmp.PKIStatus;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.SignerInfoGeneratorBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.CollectionStore;

/// Answers time-stamp requests (RFC 3161 section 2.4) with one signing certificate.
///
/// The nonce comes back, the message's digest too; the certificate is named by its SHA-256 (RFC 5816), and
/// sent along with those above it when the request asks for it.
public final class TimeStampAuthority {
    private static final int MOST_OCTETS = 4_096;
    /// Of our own, made of a UUID (ITU-T X.667): the time of this server's clock, at the moment of signing.
    public static final String POLICY = "2.25.178307330326388478625988293987992454427";

    private static final Set<ASN1ObjectIdentifier> DIGESTS =
            Set.of(NISTObjectIdentifiers.id_sha256, NISTObjectIdentifiers.id_sha384, NISTObjectIdentifiers.id_sha512);

    private final SignerInfoGenerator signer;
    private final BcDigestCalculatorProvider digests = new BcDigestCalculatorProvider();
    private final List<X509CertificateHolder> certificates = new ArrayList<>();

    /// @param algorithm of the signatures
    /// @param above the certificates above the signing one, nearest first
    public TimeStampAuthority(
            X509Certificate certificate,
            List<X509Certificate> above,
            AlgorithmIdentifier algorithm,
            UnaryOperator<byte[]> signer) {
        try {
            X509CertificateHolder own = new JcaX509CertificateHolder(certificate);
            certificates.add(own);
            for (X509Certificate one : above) {
                certificates.add(new JcaX509CertificateHolder(one));
            }
            this.signer = new SignerInfoGeneratorBuilder(digests).build(new FunctionSigner(algorithm, signer), own);
        } catch (CertificateEncodingException | OperatorCreationException e) {
            throw new IllegalStateException("the time-stamping certificate can't be used", e);
        }
    }

    /// The library's way to sign, with a key that may be anywhere.
    private static final class FunctionSigner implements ContentSigner {
        private final AlgorithmIdentifier algorithm;
        private final UnaryOperator<byte[]> signer;
        private final ByteArrayOutputStream contents = new ByteArrayOutputStream();

        FunctionSigner(AlgorithmIdentifier algorithm, UnaryOperator<byte[]> signer) {
            this.algorithm = algorithm;
            this.signer = signer;
        }

        @Override
        public AlgorithmIdentifier getAlgorithmIdentifier() {
            return algorithm;
        }

        @Override
        public OutputStream getOutputStream() {
            contents.reset();
            return contents;
        }

        @Override
        public byte[] getSignature() {
            return signer.apply(contents.toByteArray());
        }
    }

    /// The answer, DER: granted, or rejected with the reason (section 2.4.2). One at a time.
    ///
    /// 1. What is no request: badDataFormat. 2. A digest that is weak or of the wrong length: badAlg,
    /// badDataFormat. 3. A policy that is not ours: unacceptedPolicy. 4. An extension: unacceptedExtension.
    /// 5. The time, now.
    ///
    /// @param serial another one for every answer
    public synchronized byte[] answer(byte[] request, BigInteger serial, Instant now) {
        try {
            TimeStampTokenGenerator tokens = new TimeStampTokenGenerator(
                    signer,
                    digests.get(new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256)),
                    new ASN1ObjectIdentifier(POLICY));
            tokens.addCertificates(new CollectionStore<>(certificates));
            TimeStampResponseGenerator answers =
                    new TimeStampResponseGenerator(tokens, DIGESTS, Set.of(POLICY), Set.of());
            TimeStampRequest parsed;
            try {
                if (request.length == 0 || request.length > MOST_OCTETS) {
                    throw new IOException("a request of " + request.length + " octets is not accepted");
                }
                parsed = new TimeStampRequest(request);
            } catch (IOException | RuntimeException e) {
                return rejected(answers, PKIFailureInfo.badDataFormat);
            }
            return answers.generate(parsed, serial, Date.from(now)).getEncoded();
        } catch (TSPException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("a time stamp that can't be made", e);
        }
    }

    private static byte[] rejected(TimeStampResponseGenerator answers, int why) throws TSPException, IOException {
        return answers.generateFailResponse(PKIStatus.REJECTION, why, "not a time-stamp request")
                .getEncoded();
    }
}
