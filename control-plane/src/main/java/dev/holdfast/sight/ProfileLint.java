package dev.holdfast.sight;

import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.X509FormatException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a profile would say of a request or a certificate, without asking for one. Pure.
public final class ProfileLint {
    private static final Map<CertificateProfile.Usage, String> PURPOSES = Map.of(
            CertificateProfile.Usage.TLS_CLIENT, "1.3.6.1.5.5.7.3.2",
            CertificateProfile.Usage.TLS_SERVER, "1.3.6.1.5.5.7.3.1");
    private static final int DNS = 2;
    private static final String DEVICE = "urn:holdfast:device:";

    private ProfileLint() {}

    /// @param der PKCS #10
    /// @return in words; empty when the profile has nothing against it
    public static List<String> request(byte[] der, CertificateProfile profile) {
        CertificationRequest request;
        try {
            request = CertificationRequest.verify(der);
        } catch (CertificationRequestException e) {
            return List.of(e.getMessage() + " (" + e.reason() + ")");
        }
        List<String> faults = new ArrayList<>();
        if (request.wantsToBeCa()) {
            faults.add("it asks for a CA certificate (REQUEST_WANTS_A_CA)");
        }
        key(request.keyKind(), profile, faults);
        Optional<String> device =
                device(request.alternativeNames().stream().map(name -> name.replaceFirst("^URI:", "")));
        for (String name : request.alternativeNames()) {
            boolean own = name.startsWith("URI:" + DEVICE);
            boolean allowed = name.startsWith("DNS:") && allowed(profile, name.substring("DNS:".length()), device);
            if (!own && !allowed) {
                faults.add("the alternative name " + printable(name) + " is not one that it certifies");
            }
        }
        if (profile.admittance().channelBound()) {
            faults.add("note: the request must be bound to the TLS channel it comes over (RFC 9266)");
        }
        return faults;
    }

    /// @return in words; empty when it is as the profile would make it
    public static List<String> certificate(byte[] der, CertificateProfile profile) throws X509FormatException {
        X509Certificate certificate = Certificates.parse(der);
        List<String> faults = new ArrayList<>();
        key(KeyKind.of(certificate.getPublicKey()), profile, faults);
        Duration life = Duration.between(
                certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant());
        Duration longest = profile.validity().lifetime().plus(profile.validity().backdated());
        if (life.compareTo(longest) > 0) {
            faults.add("it lives " + life.toDays() + " days, longer than " + longest.toDays());
        }
        if (certificate.getBasicConstraints() >= 0) {
            faults.add("it is a CA's");
        }
        try {
            List<String> purposes = certificate.getExtendedKeyUsage();
            List<String> wanted = profile.usages().stream()
                    .map(usage -> PURPOSES.getOrDefault(usage, ""))
                    .toList();
            if (purposes == null || !wanted.containsAll(purposes)) {
                faults.add("it may be used for more than "
                        + profile.usages().stream()
                                .map(CertificateProfile.Usage::text)
                                .sorted()
                                .collect(Collectors.joining(", ")));
            }
            names(certificate, profile, faults);
        } catch (CertificateParsingException e) {
            faults.add("its names or usages can't be read");
        }
        return faults;
    }

    private static void names(X509Certificate certificate, CertificateProfile profile, List<String> faults)
            throws CertificateParsingException {
        if (certificate.getSubjectAlternativeNames() == null) {
            return;
        }
        Optional<String> device =
                device(certificate.getSubjectAlternativeNames().stream().map(name -> String.valueOf(name.get(1))));
        for (List<?> name : certificate.getSubjectAlternativeNames()) {
            String text = String.valueOf(name.get(1));
            if (name.get(0).equals(DNS) && !allowed(profile, text, device)) {
                faults.add("the DNS name " + printable(text) + " is not one that it certifies");
            }
        }
    }

    /// The id of the device that is named, where one is.
    private static Optional<String> device(Stream<String> names) {
        return names.filter(name -> name.startsWith(DEVICE))
                .map(name -> name.substring(name.lastIndexOf(':') + 1))
                .findFirst();
    }

    /// Who asks is not known here: where no device is named, a name may be its own that begins with its id.
    private static boolean allowed(CertificateProfile profile, String dns, Optional<String> device) {
        String first = dns.substring(0, Math.max(0, dns.indexOf('.')));
        return profile.admittance().allowsDns(dns, device.orElse(first));
    }

    private static void key(KeyKind kind, CertificateProfile profile, List<String> faults) {
        if (!profile.keys().kinds().contains(kind)) {
            faults.add("its key is " + kind.text() + "; taken are "
                    + profile.keys().kinds().stream()
                            .map(KeyKind::text)
                            .sorted()
                            .collect(Collectors.joining(", "))
                    + " (KEY_NOT_ACCEPTED_BY_PROFILE)");
        }
    }

    private static String printable(String text) {
        String plain = text.replaceAll("[^ -~]", "?");
        return plain.length() > 100 ? plain.substring(0, 100) + "..." : plain;
    }
}
