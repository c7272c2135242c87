package dev.holdfast.protocol.cmp;

import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// By what a message is protected (RFC 9810 section 5.1.3, RFC 9483 section 3.2). There is no kind for "by
/// nothing": such a message has none.
public sealed interface MessageProtection {
    /// By a shared secret. Nothing is proven yet: look the secret up and [#verify].
    ///
    /// @param reference the secret's id, as the senderKID has it
    record BySecret(
            ASN1OctetString reference, MacAlgorithm algorithm, ASN1OctetString protectedPart, ASN1OctetString code)
            implements MessageProtection {
        public boolean verify(byte[] secret) {
            return algorithm.verify(secret, protectedPart.getOctets(), code.getOctets());
        }
    }

    /// By a signature, which is right for the first certificate. Whether that certificate is worth anything
    /// is still to be found out.
    ///
    /// @param chain the certificate that protects, then whatever else was sent
    record BySignature(List<X509Certificate> chain) implements MessageProtection {
        public BySignature {
            chain = List.copyOf(chain);
        }

        public X509Certificate leaf() {
            return chain.getFirst();
        }
    }

    /// Verifies what can be verified with the message alone: 1. that it is protected; 2. its algorithm,
    /// within its bounds; 3. for signatures: the certificate is there, is the one that sender and senderKID
    /// name (RFC 9483 section 3.1), has a key of a strength worth verifying with; 4. the signature.
    ///
    /// @throws CmpException when one of these is not so
    static MessageProtection of(CmpMessage message) throws CmpException {
        Optional<AlgorithmIdentifier> algorithm = message.header().protectionAlgorithm();
        if (algorithm.isEmpty() || message.protection().isEmpty()) {
            throw new CmpException(
                    CmpFailure.BAD_MESSAGE_CHECK,
                    "the message is not protected: sign it, or use a shared secret's message authentication code");
        }
        ASN1OctetString protection = message.protection().get();
        if (MacAlgorithm.isMac(algorithm.get())) {
            MacAlgorithm mac = MacAlgorithm.of(algorithm.get());
            String reference = message.header()
                    .senderKid()
                    .orElseThrow(() -> new CmpException(
                            CmpFailure.BAD_MESSAGE_CHECK, "the senderKID that names the shared secret is missing"));
            return new BySecret(
                    new org.bouncycastle.asn1.DEROctetString(HexFormat.of().parseHex(reference)),
                    mac,
                    message.protectedPart(),
                    protection);
        }
        if (message.extraCertificates().isEmpty()) {
            throw new CmpException(
                    CmpFailure.ADD_INFO_NOT_AVAILABLE,
                    "the certificate that protects the message is not the first of extraCerts");
        }
        X509Certificate leaf = message.extraCertificates().getFirst();
        requireNamed(message.header(), leaf);
        PublicKey key = key(leaf);
        String scheme = SignatureSchemes.fitting(key, algorithm.get())
                .orElseThrow(() -> new CmpException(
                        CmpFailure.BAD_ALG, "the signature algorithm does not fit the key, or is none used here"));
        if (!Crypto.verify(key, scheme, message.protectedPart().getOctets(), protection.getOctets())) {
            throw new CmpException(CmpFailure.BAD_MESSAGE_CHECK, "the message is not signed by the certificate's key");
        }
        return new BySignature(message.extraCertificates());
    }

    private static void requireNamed(CmpHeader header, X509Certificate leaf) throws CmpException {
        GeneralName sender = header.sender();
        X500Name subject = X500Name.getInstance(leaf.getSubjectX500Principal().getEncoded());
        if (sender.getTagNo() != GeneralName.directoryName || !subject.equals(X500Name.getInstance(sender.getName()))) {
            throw new CmpException(
                    CmpFailure.BAD_MESSAGE_CHECK, "the sender is not the subject of the certificate that protects");
        }
        if (header.senderKid().isPresent()
                && !header.senderKid().equals(keyIdentifier(leaf).map(HexFormat.of()::formatHex))) {
            throw new CmpException(
                    CmpFailure.BAD_MESSAGE_CHECK,
                    "the senderKID is not the key identifier of the certificate that protects");
        }
    }

    /// The certificate's subject key identifier.
    static Optional<byte[]> keyIdentifier(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId());
        if (extension == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(SubjectKeyIdentifier.getInstance(
                            ASN1OctetString.getInstance(extension).getOctets())
                    .getKeyIdentifier());
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }

    /// As our provider holds keys. RSA from 2048 bits will do to be recognised by: manufacturers made what
    /// they made.
    private static PublicKey key(X509Certificate leaf) throws CmpException {
        byte[] encoded = leaf.getPublicKey().getEncoded();
        try {
            SubjectPublicKeyInfo info = SubjectPublicKeyInfo.getInstance(encoded);
            Optional<String> algorithm = Crypto.algorithm(info.getAlgorithm());
            if (algorithm.isPresent()) {
                PublicKey key = Crypto.publicKey(algorithm.get(), encoded);
                if (!(key instanceof RSAPublicKey rsa)
                        || (rsa.getModulus().bitLength() >= 2_048
                                && rsa.getModulus().bitLength() <= 4_096
                                && rsa.getPublicExponent().bitLength() <= 256)) {
                    return key;
                }
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new CmpException(CmpFailure.BAD_ALG, "the key of the certificate that protects can't be read", e);
        }
        throw new CmpException(
                CmpFailure.BAD_ALG, "the certificate that protects has a key of a kind or size not accepted here");
    }
}
