package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.inspect.Inspected.Kind;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.SignatureSchemes;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.CertificateList;

/// Reads a file of certificates, requests and revocation lists, in PEM (RFC 7468), DER, bare base64 or as a
/// certificates-only message, and says what it holds. Hostile octets give an [Inspected] that says they can't
/// be read.
public final class Inspection {
    private static final int MOST_OCTETS = 16 * 1024 * 1024;
    private static final int MOST_THINGS = 100;
    private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*+)-----END \\1-----");

    private Inspection() {}

    /// Everything in the file, in its order; certificates and lists are also held against those certificates of
    /// the file that should have signed them.
    ///
    /// @param more certificates that may have signed what is in the file, PEM; empty for none
    /// @throws X509FormatException when there is nothing to read, or too much
    public static List<Inspected> read(byte[] file, byte[] more, Instant now) throws X509FormatException {
        List<Inspected> found = items(file, now);
        List<Inspected> signers = new ArrayList<>(found);
        if (more.length > 0) {
            signers.addAll(items(more, now));
        }
        List<Inspected> all = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            all.add(signed(found.get(i), i, signers, found.size()));
        }
        return all;
    }

    public static List<Inspected> read(byte[] file, Instant now) throws X509FormatException {
        return read(file, new byte[0], now);
    }

    private static List<Inspected> items(byte[] file, Instant now) throws X509FormatException {
        if (file.length == 0 || file.length > MOST_OCTETS) {
            throw new X509FormatException("a file of " + file.length + " octets is not read");
        }
        List<Inspected> found = new ArrayList<>();
        String text = new String(file, StandardCharsets.ISO_8859_1);
        if (text.contains("-----BEGIN ")) {
            Matcher block = BLOCK.matcher(text);
            while (block.find()) {
                found.addAll(block(block.group(1), block.group(2), now));
                if (found.size() > MOST_THINGS) {
                    throw new X509FormatException("more than " + MOST_THINGS + " things in one file");
                }
            }
        } else {
            byte[] der = file[0] == 0x30 ? file : base64(text).orElse(file);
            found.addAll(guess(der, now));
        }
        if (found.isEmpty()) {
            throw new X509FormatException(
                    "nothing found: expected certificates, requests or revocation lists in PEM, DER or base64");
        }
        return found;
    }

    private static List<Inspected> block(String label, String body, Instant now) {
        Optional<byte[]> der = base64(body);
        if (label.endsWith("PRIVATE KEY")) {
            return List.of(new Inspected(
                    Kind.PRIVATE_KEY,
                    "A private key, which is not read. It belongs on its device alone.",
                    List.of(),
                    List.of(),
                    Optional.empty(),
                    new byte[0]));
        }
        if (der.isEmpty()) {
            return List.of(unreadable("A " + label + " block that is not base64.", new byte[0]));
        }
        return switch (label) {
            case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE" -> List.of(certificate(der.get(), now));
            case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST" -> List.of(request(der.get()));
            case "X509 CRL" -> List.of(list(der.get(), now));
            case "PKCS7", "CMS" -> guess(der.get(), now);
            default -> List.of();
        };
    }

    /// In the order of how common they are; each form excludes the others.
    private static List<Inspected> guess(byte[] der, Instant now) {
        for (Inspected one : List.of(certificate(der, now), request(der), list(der, now))) {
            if (one.kind() != Kind.UNREADABLE) {
                return List.of(one);
            }
        }
        try {
            List<Inspected> all = new ArrayList<>();
            for (X509Certificate inside : CertificatesOnly.decode(der)) {
                all.add(certificate(Certificates.der(inside), now));
            }
            return all;
        } catch (X509FormatException e) {
            return List.of(unreadable("Neither a certificate, nor a request, nor a revocation list.", der));
        }
    }

    private static Inspected certificate(byte[] der, Instant now) {
        try {
            return CertificateReading.read(der, now);
        } catch (IOException | RuntimeException e) {
            return unreadable("A certificate that can't be read: " + Phrases.safe(String.valueOf(e.getMessage())), der);
        }
    }

    private static Inspected request(byte[] der) {
        try {
            return RequestReading.read(der);
        } catch (RuntimeException e) {
            return unreadable("A request that can't be read: " + Phrases.safe(String.valueOf(e.getMessage())), der);
        }
    }

    private static Inspected list(byte[] der, Instant now) {
        try {
            return ListReading.read(der, now);
        } catch (RuntimeException e) {
            return unreadable(
                    "A revocation list that can't be read: " + Phrases.safe(String.valueOf(e.getMessage())), der);
        }
    }

    private static Inspected unreadable(String headline, byte[] der) {
        return new Inspected(Kind.UNREADABLE, headline, List.of(), List.of("It can't be read."), Optional.empty(), der);
    }

    private static Optional<byte[]> base64(String text) {
        try {
            byte[] octets = Base64.getDecoder().decode(text.replaceAll("\\s", ""));
            return octets.length == 0 ? Optional.empty() : Optional.of(octets);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    // ------------------------------------------------------------------ who signed it

    private static Inspected signed(Inspected one, int place, List<Inspected> signers, int inFile) {
        return switch (one.kind()) {
            case CERTIFICATE -> {
                Certificate certificate = Certificate.getInstance(one.der());
                yield against(one, certificate.getIssuer().toString(), place, signers, inFile);
            }
            case REVOCATION_LIST ->
                against(one, CertificateList.getInstance(one.der()).getIssuer().toString(), place, signers, inFile);
            case REQUEST, PRIVATE_KEY, UNREADABLE -> one;
        };
    }

    private static Inspected against(Inspected one, String issuer, int place, List<Inspected> signers, int inFile) {
        boolean named = false;
        for (int i = 0; i < signers.size(); i++) {
            if (signers.get(i).kind() != Kind.CERTIFICATE) {
                continue;
            }
            Certificate signer = Certificate.getInstance(signers.get(i).der());
            if (signer.getSubject().toString().equals(issuer)) {
                named = true;
                if (verifies(one, signer)) {
                    String by = i == place
                            ? "itself"
                            : i < inFile ? "certificate " + (i + 1) + " of this file" : "the issuer that was given";
                    return one.plus(List.of(new Fact("Signature", "right, by " + by)), List.of());
                }
            }
        }
        return named
                ? one.plus(
                        List.of(new Fact("Signature", "WRONG")),
                        List.of("It names an issuer that is here and did not sign it."))
                : one.plus(List.of(new Fact("Signature", "not checked: its issuer is not in this file")), List.of());
    }

    private static boolean verifies(Inspected one, Certificate signer) {
        Optional<PublicKey> key = KeyReading.key(signer.getSubjectPublicKeyInfo());
        if (key.isEmpty()) {
            return false;
        }
        try {
            if (one.kind() == Kind.CERTIFICATE) {
                Certificate it = Certificate.getInstance(one.der());
                return SignatureSchemes.fitting(key.get(), it.getSignatureAlgorithm())
                        .filter(scheme -> verifies(
                                key.get(),
                                scheme,
                                it.getTBSCertificate(),
                                it.getSignature().getOctets()))
                        .isPresent();
            }
            CertificateList it = CertificateList.getInstance(one.der());
            return SignatureSchemes.fitting(key.get(), it.getSignatureAlgorithm())
                    .filter(scheme -> verifies(
                            key.get(),
                            scheme,
                            it.getTBSCertList(),
                            it.getSignature().getOctets()))
                    .isPresent();
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static boolean verifies(
            PublicKey key, String scheme, org.bouncycastle.asn1.ASN1Object contents, byte[] signature) {
        try {
            return Crypto.verify(key, scheme, contents.getEncoded(ASN1Encoding.DER), signature);
        } catch (IOException e) {
            return false;
        }
    }
}
