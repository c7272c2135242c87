package dev.holdfast.protocol.tsp;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.math.BigInteger;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampToken;
import org.jspecify.annotations.Nullable;

/// How a device without a clock learns what time it is. It knows a root, and can make a random number; it
/// does not know whether any certificate is in time, so dates are looked at last, against the time that was
/// signed:
///
/// 1. ask with a fresh nonce, for the certificates too;
/// 2. the answer is granted, repeats the nonce and the digest, and has one signature, by the certificate it
/// names;
/// 3. that certificate is for time-stamping alone, critically (RFC 3161 section 2.3);
/// 4. every certificate up to the root is signed by the next, and those above the first are authorities';
/// 5. every certificate is valid at the time that was signed.
///
/// The time is as old as the answer took: the device adds what it has counted since it asked. A clock that
/// was set so is never set back by another answer.
public final class SignedTime {
    private static final int MOST_OCTETS = 64 * 1024;
    private static final int LONGEST_CHAIN = 5;
    private static final String TIME_STAMPING = "1.3.6.1.5.5.7.3.8";

    private final TimeStampRequest request;
    private final byte[] encoded;

    /// @param nonce random, at least 64 bits; used once
    public SignedTime(BigInteger nonce) {
        TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
        generator.setCertReq(true);
        try {
            // What is stamped is the nonce itself: there is nothing else to be proven.
            request = generator.generate(TSPAlgorithms.SHA256, sha256(nonce.toByteArray()), nonce);
            encoded = request.getEncoded();
        } catch (IOException e) {
            throw new IllegalStateException("a request that can't be encoded", e);
        }
    }

    /// What is sent: `application/timestamp-query`.
    public byte[] request() {
        return encoded.clone();
    }

    /// The time that the answer says, when everything about it is right.
    ///
    /// @param answer `application/timestamp-reply`
    /// @param root what is trusted
    /// @throws TimeFormatException when something is not
    public Instant verify(byte[] answer, X509Certificate root) throws TimeFormatException {
        if (answer.length > MOST_OCTETS) {
            throw new TimeFormatException("an answer of " + answer.length + " octets is not accepted");
        }
        try {
            TimeStampResponse response = new TimeStampResponse(answer);
            response.validate(request);
            TimeStampToken token = response.getTimeStampToken();
            if (token == null) {
                throw new TimeFormatException("not granted: " + response.getStatusString());
            }
            if (token.toCMSSignedData().getSignerInfos().size() != 1) {
                throw new TimeFormatException("not one signature");
            }
            List<X509Certificate> sent = certificates(token);
            X509Certificate signer = signer(token, sent);
            requireStamping(signer);
            // Checks the signed attributes, which name the certificate, and the signature; dates against the time
            // signed.
            SignerInformationVerifier verifier = new JcaSimpleSignerInfoVerifierBuilder()
                    .setProvider(Crypto.provider())
                    .build(signer.getPublicKey());
            if (!token.toCMSSignedData().getSignerInfos().iterator().next().verify(verifier)) {
                throw new TimeFormatException("the signature is wrong");
            }
            requireNamed(token, signer);
            Instant at = token.getTimeStampInfo().getGenTime().toInstant();
            chain(signer, sent, root, at);
            return at;
        } catch (TSPException | CMSException | IOException | OperatorCreationException e) {
            throw new TimeFormatException("not an answer to this request: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            throw new TimeFormatException("not a time-stamp answer", e);
        }
    }

    private static List<X509Certificate> certificates(TimeStampToken token) throws TimeFormatException, IOException {
        List<X509Certificate> all = new ArrayList<>();
        Collection<X509CertificateHolder> found = token.getCertificates().getMatches(null);
        for (X509CertificateHolder one : found) {
            if (all.size() == LONGEST_CHAIN) {
                throw new TimeFormatException("too many certificates");
            }
            try {
                all.add(Certificates.parse(one.getEncoded()));
            } catch (X509FormatException e) {
                throw new TimeFormatException("a certificate that can't be read", e);
            }
        }
        return all;
    }

    private static X509Certificate signer(TimeStampToken token, List<X509Certificate> sent)
            throws TimeFormatException, IOException {
        var id = token.getSID();
        for (X509Certificate one : sent) {
            if (id.match(new X509CertificateHolder(Certificates.der(one)))) {
                return one;
            }
        }
        throw new TimeFormatException("the signer's certificate was not sent along");
    }

    /// RFC 5816: the signed attributes name the certificate by its digest, so it can't be exchanged.
    private static void requireNamed(TimeStampToken token, X509Certificate signer)
            throws TimeFormatException, IOException {
        var attributes = token.getSignedAttributes();
        var named = attributes == null
                ? null
                : attributes.get(org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_aa_signingCertificateV2);
        if (named == null) {
            throw new TimeFormatException("the signature does not name its certificate");
        }
        var ids = org.bouncycastle.asn1.ess.SigningCertificateV2.getInstance(
                        named.getAttrValues().getObjectAt(0))
                .getCerts();
        boolean sha256 = ids.length > 0
                && ids[0].getHashAlgorithm()
                        .getAlgorithm()
                        .equals(org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_sha256);
        if (!sha256 || !java.util.Arrays.equals(ids[0].getCertHash(), sha256(Certificates.der(signer)))) {
            throw new TimeFormatException("the signature names another certificate");
        }
    }

    private static void requireStamping(X509Certificate certificate) throws TimeFormatException {
        try {
            List<String> purposes = certificate.getExtendedKeyUsage();
            boolean critical = certificate.getCriticalExtensionOIDs() != null
                    && certificate.getCriticalExtensionOIDs().contains("2.5.29.37");
            if (!critical || !List.of(TIME_STAMPING).equals(purposes)) {
                throw new TimeFormatException("the certificate is not for time-stamping alone");
            }
        } catch (CertificateParsingException e) {
            throw new TimeFormatException("a certificate that can't be read", e);
        }
    }

    private static void chain(X509Certificate signer, List<X509Certificate> sent, X509Certificate root, Instant at)
            throws TimeFormatException {
        X509Certificate current = signer;
        for (int below = 0; below < LONGEST_CHAIN; below++) {
            requireValid(current, at);
            if (isBy(current, root, below)) {
                requireValid(root, at);
                return;
            }
            X509Certificate above = null;
            for (X509Certificate candidate : sent) {
                if (!candidate.equals(current) && isBy(current, candidate, below)) {
                    above = candidate;
                }
            }
            if (above == null) {
                throw new TimeFormatException("the certificates do not lead to the root");
            }
            current = above;
        }
        throw new TimeFormatException("the chain is too long");
    }

    private static boolean isBy(X509Certificate child, X509Certificate parent, int below) {
        boolean @Nullable [] usage = parent.getKeyUsage();
        if (!child.getIssuerX500Principal().equals(parent.getSubjectX500Principal())
                || parent.getBasicConstraints() < below
                || usage == null
                || !usage[5]) {
            return false;
        }
        try {
            return Crypto.verify(
                    parent.getPublicKey(), child.getSigAlgName(), child.getTBSCertificate(), child.getSignature());
        } catch (CertificateEncodingException e) {
            return false;
        }
    }

    private static void requireValid(X509Certificate certificate, Instant at) throws TimeFormatException {
        if (at.isBefore(certificate.getNotBefore().toInstant())
                || at.isAfter(certificate.getNotAfter().toInstant())) {
            throw new TimeFormatException("a certificate that is not valid at the time it signs");
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return java.security.MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }
}
