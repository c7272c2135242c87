package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.inspect.Inspected.Kind;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralNames;

/// A request for a certificate in words (RFC 2986); its faults are those for which enrolment would refuse it.
final class RequestReading {
    private RequestReading() {}

    static Inspected read(byte[] der) {
        CertificationRequestInfo info =
                org.bouncycastle.asn1.pkcs.CertificationRequest.getInstance(der).getCertificationRequestInfo();
        List<Fact> facts = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        facts.add(new Fact("Who", Phrases.name(info.getSubject())));
        faults.addAll(Phrases.deceptions("subject", info.getSubject()));
        attributes(info, facts);
        List<String> keyFaults = new ArrayList<>();
        KeyReading.read(info.getSubjectPublicKeyInfo(), facts, keyFaults);
        try {
            CertificationRequest verified = CertificationRequest.verify(der);
            facts.add(new Fact("Proof of possession", "right: it is signed by the key that it is for"));
            if (verified.wantsToBeCa()) {
                faults.add("It asks for a CA certificate: enrolment refuses that (REQUEST_WANTS_A_CA).");
            }
        } catch (CertificationRequestException e) {
            faults.add("Enrolment would refuse it (" + e.reason() + "): " + e.getMessage() + ".");
            faults.addAll(keyFaults);
        }
        return new Inspected(
                Kind.REQUEST,
                "A request for a certificate for " + Phrases.shortName(info.getSubject())
                        + (faults.isEmpty() ? ", well formed and signed by its own key." : ", with faults."),
                facts,
                faults,
                Optional.empty(),
                der);
    }

    private static void attributes(CertificationRequestInfo info, List<Fact> facts) {
        if (info.getAttributes() == null) {
            return;
        }
        for (ASN1Encodable element : info.getAttributes()) {
            Attribute attribute = Attribute.getInstance(element);
            if (attribute.getAttrType().equals(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest)
                    && attribute.getAttrValues().size() == 1) {
                Extensions asked = Extensions.getInstance(attribute.getAttributeValues()[0]);
                GeneralNames names = GeneralNames.fromExtensions(asked, Extension.subjectAlternativeName);
                if (names != null) {
                    facts.add(new Fact("Asks to be known as", String.join(", ", Phrases.names(names))));
                }
            } else if (attribute.getAttrType().equals(PKCSObjectIdentifiers.pkcs_9_at_challengePassword)) {
                facts.add(new Fact("Challenge password", "present, not shown"));
            } else {
                facts.add(new Fact("Attribute", attribute.getAttrType().getId()));
            }
        }
    }
}
