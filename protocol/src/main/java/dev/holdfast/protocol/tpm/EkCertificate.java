package dev.holdfast.protocol.tpm;

import dev.holdfast.protocol.x509.Certificates;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;

/// A certificate of an endorsement key (TCG EK Credential Profile, section 3) that leads to an anchor: the
/// maker of the TPM says that the key is in one of its TPMs.
///
/// @param anchor SHA-256 of the anchor's certificate
/// @param manufacturer as the TPM itself writes it: `id:49465800`
public record EkCertificate(
        X509Certificate certificate, String anchor, String manufacturer, String model, String version) {
    private static final String EK = "2.23.133.8.1";
    private static final String AK = "2.23.133.8.3";
    private static final String MANUFACTURER = "2.23.133.2.1";
    private static final String MODEL = "2.23.133.2.2";
    private static final String VERSION = "2.23.133.2.3";
    private static final int MOST_INTERMEDIATES = 4;
    private static final int KEY_ENCIPHERMENT = 2;
    private static final int KEY_AGREEMENT = 4;
    private static final int DIGITAL_SIGNATURE = 0;
    /// TPMs that are programs: swtpm writes IBM's number, the reference simulator its own.
    private static final Set<String> PROGRAMS = Set.of("id:00001014", "id:58595A00");

    /// Why it is not believed.
    public enum Fault {
        NOT_FOR_AN_ENDORSEMENT_KEY,
        NOT_FOR_AN_ATTESTATION_KEY,
        NO_TPM_IS_NAMED,
        CHAIN_NOT_TRUSTED
    }

    /// The certificate is not one that says whose TPM it is.
    public static final class NotBelieved extends Exception {
        private static final long serialVersionUID = 1L;
        private final Fault fault;

        NotBelieved(Fault fault, String message) {
            super(message);
            this.fault = fault;
        }

        public Fault fault() {
            return fault;
        }
    }

    /// 1. Its purpose: tcg-kp-EKCertificate, not a CA's, a key usage that decrypts or agrees.
    /// 2. The TPM that its alternative name describes (section 3.2.9). 3. A chain to an anchor, in time.
    ///
    /// @param intermediates that the device sent along, at most 4; they prove nothing by themselves
    public static EkCertificate verify(
            X509Certificate certificate,
            List<X509Certificate> intermediates,
            Collection<X509Certificate> anchors,
            Instant now)
            throws NotBelieved {
        if (!isFor(certificate, EK) || !(usage(certificate, KEY_ENCIPHERMENT) || usage(certificate, KEY_AGREEMENT))) {
            throw new NotBelieved(
                    Fault.NOT_FOR_AN_ENDORSEMENT_KEY,
                    "its extended key usage is not tcg-kp-EKCertificate (" + EK + ")");
        }
        return describe(certificate, intermediates, anchors, now);
    }

    /// As [#verify], for the certificate of an attestation key (tcg-kp-AIKCertificate).
    public static EkCertificate verifyAttestationKey(
            X509Certificate certificate,
            List<X509Certificate> intermediates,
            Collection<X509Certificate> anchors,
            Instant now)
            throws NotBelieved {
        if (!isFor(certificate, AK) || !usage(certificate, DIGITAL_SIGNATURE)) {
            throw new NotBelieved(
                    Fault.NOT_FOR_AN_ATTESTATION_KEY,
                    "its extended key usage is not tcg-kp-AIKCertificate (" + AK + ")");
        }
        return describe(certificate, intermediates, anchors, now);
    }

    private static EkCertificate describe(
            X509Certificate certificate,
            List<X509Certificate> intermediates,
            Collection<X509Certificate> anchors,
            Instant now)
            throws NotBelieved {
        Map<String, String> names = names(certificate);
        if (!names.keySet().containsAll(Set.of(MANUFACTURER, MODEL, VERSION))) {
            throw new NotBelieved(
                    Fault.NO_TPM_IS_NAMED, "its alternative name has not manufacturer, model and version of a TPM");
        }
        return new EkCertificate(
                certificate,
                Certificates.fingerprint(anchor(certificate, intermediates, anchors, now)),
                names.getOrDefault(MANUFACTURER, ""),
                names.getOrDefault(MODEL, ""),
                names.getOrDefault(VERSION, ""));
    }

    /// Whether the certificate itself says that this TPM is a program.
    public boolean isSoftware() {
        return PROGRAMS.contains(manufacturer.toUpperCase(Locale.ROOT).replace("ID:", "id:"))
                || model.toLowerCase(Locale.ROOT).contains("swtpm");
    }

    private static boolean isFor(X509Certificate certificate, String purpose) {
        try {
            List<String> purposes = certificate.getExtendedKeyUsage();
            return certificate.getBasicConstraints() < 0 && purposes != null && purposes.contains(purpose);
        } catch (GeneralSecurityException malformed) {
            return false;
        }
    }

    private static boolean usage(X509Certificate certificate, int bit) {
        boolean @org.jspecify.annotations.Nullable [] usage = certificate.getKeyUsage();
        return usage != null && usage[bit];
    }

    private static Map<String, String> names(X509Certificate certificate) {
        Map<String, String> names = new HashMap<>();
        byte @org.jspecify.annotations.Nullable [] extension =
                certificate.getExtensionValue(Extension.subjectAlternativeName.getId());
        if (extension == null) {
            return names;
        }
        try {
            GeneralNames all = GeneralNames.getInstance(
                    ASN1OctetString.getInstance(extension).getOctets());
            for (GeneralName name : all.getNames()) {
                if (name.getTagNo() == GeneralName.directoryName) {
                    for (RDN part : X500Name.getInstance(name.getName()).getRDNs()) {
                        for (AttributeTypeAndValue value : part.getTypesAndValues()) {
                            if (value.getValue() instanceof ASN1String text) {
                                names.put(value.getType().getId(), printable(text.getString()));
                            }
                        }
                    }
                }
            }
        } catch (RuntimeException notDer) {
            return new HashMap<>();
        }
        return names;
    }

    private static String printable(String text) {
        String plain = text.replaceAll("[^ -~]", "?");
        return plain.length() > 64 ? plain.substring(0, 64) : plain;
    }

    private static X509Certificate anchor(
            X509Certificate certificate,
            List<X509Certificate> intermediates,
            Collection<X509Certificate> anchors,
            Instant now)
            throws NotBelieved {
        if (anchors.isEmpty()) {
            throw new NotBelieved(Fault.CHAIN_NOT_TRUSTED, "no anchor of a TPM maker is registered");
        }
        if (intermediates.size() > MOST_INTERMEDIATES) {
            throw new NotBelieved(
                    Fault.CHAIN_NOT_TRUSTED, "more than " + MOST_INTERMEDIATES + " certificates above it");
        }
        try {
            X509CertSelector target = new X509CertSelector();
            target.setCertificate(certificate);
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(
                    anchors.stream().map(a -> new TrustAnchor(a, null)).collect(Collectors.toSet()), target);
            parameters.setRevocationEnabled(false);
            parameters.setMaxPathLength(MOST_INTERMEDIATES);
            parameters.setDate(Date.from(now));
            parameters.addCertStore(
                    CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.of(certificate))));
            parameters.addCertStore(
                    CertStore.getInstance("Collection", new CollectionCertStoreParameters(intermediates)));
            PKIXCertPathBuilderResult result = (PKIXCertPathBuilderResult)
                    CertPathBuilder.getInstance("PKIX").build(parameters);
            CertPath path = result.getCertPath();
            if (path.getCertificates().isEmpty()) {
                throw new NotBelieved(Fault.CHAIN_NOT_TRUSTED, "it is itself an anchor");
            }
            return Optional.ofNullable(result.getTrustAnchor().getTrustedCert())
                    .orElseThrow(() -> new NotBelieved(Fault.CHAIN_NOT_TRUSTED, "an anchor without a certificate"));
        } catch (GeneralSecurityException noPath) {
            throw new NotBelieved(
                    Fault.CHAIN_NOT_TRUSTED, "it does not lead to a registered anchor, or is not in time");
        }
    }
}
