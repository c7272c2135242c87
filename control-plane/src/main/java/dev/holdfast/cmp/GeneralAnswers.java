package dev.holdfast.cmp;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ListName;
import dev.holdfast.core.Environment;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.GeneralQuestion;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.revocation.RevocationList;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.x500.X500Name;

/// genm (RFC 9483 section 4.3).
final class GeneralAnswers {
    private final Ca ca;
    private final Revocation revocation;
    private final Environment environment;

    GeneralAnswers(Ca ca, Revocation revocation, Environment environment) {
        this.ca = ca;
        this.revocation = revocation;
        this.environment = environment;
    }

    /// What is not known here is left out of the answer; when nothing is known, that is the answer.
    CmpReply answer(CmpBody.GeneralMessage message, Optional<String> label, String nonce) throws CmpException {
        List<InfoTypeAndValue> answers = new ArrayList<>();
        for (InfoTypeAndValue question : message.questions()) {
            answer(GeneralQuestion.of(question), label).ifPresent(answers::add);
        }
        if (answers.isEmpty()) {
            throw new CmpException(
                    CmpFailure.BAD_REQUEST,
                    "of what was asked nothing is known here: ask for caCerts, rootCaCert, certReqTemplate or"
                            + " crlStatusList");
        }
        return CmpReply.of(Answers.general(answers), nonce);
    }

    private Optional<InfoTypeAndValue> answer(GeneralQuestion question, Optional<String> label) throws CmpException {
        return switch (question) {
            case GeneralQuestion.Authorities _ -> Optional.of(GeneralQuestion.authorities(authorities()));
            case GeneralQuestion.RootUpdate update -> Optional.of(rootUpdate(update));
            case GeneralQuestion.RequestTemplate _ -> {
                CertificateProfile profile = ca.profiles()
                        .find(environment, label.orElse(Profiles.DEVICE))
                        .orElseThrow(() -> new CmpException(
                                CmpFailure.BAD_REQUEST, "there is no certificate profile of this name"));
                yield Optional.of(GeneralQuestion.requestTemplate(
                        profile.keys().kinds().stream().sorted().toList()));
            }
            case GeneralQuestion.RevocationLists lists -> Optional.of(revocationLists(lists));
            case GeneralQuestion.Unknown _ -> Optional.empty();
        };
    }

    /// What is trusted now, and while a root is replaced the certificates of each for the other.
    private List<X509Certificate> authorities() {
        return ca.authorities().published();
    }

    /// A device that has another root than the newest gets that, certified by its own where that is on record.
    /// The newest may not be in use yet: devices learn to trust it first.
    private InfoTypeAndValue rootUpdate(GeneralQuestion.RootUpdate update) {
        List<Authority> ours = ca.authorities().all().stream()
                .filter(a ->
                        a.purpose() == Authority.Purpose.ROOT && a.standing().isTrusted())
                .toList();
        X509Certificate inUse = ca.authorities().server().anchor();
        // An operator's own root is followed by another of the operator's, and ours by ours.
        X509Certificate newest = ours.stream()
                .filter(a -> a.certificate().equals(inUse))
                .flatMap(used -> ours.stream().filter(a -> a.isOperatorsRoot() == used.isOperatorsRoot()))
                .max(Comparator.comparingInt(Authority::generation))
                .map(Authority::certificate)
                .orElse(inUse);
        if (update.known().equals(Optional.of(newest))) {
            return GeneralQuestion.rootUpdate(Optional.empty(), Optional.empty(), Optional.empty());
        }
        Optional<X509Certificate> bridge = update.known().flatMap(known -> bridge(newest, known));
        Optional<X509Certificate> back = update.known().flatMap(known -> bridge(known, newest));
        return GeneralQuestion.rootUpdate(Optional.of(newest), bridge, back);
    }

    /// The certificate that has the one's name and key and the other's signature.
    private Optional<X509Certificate> bridge(X509Certificate to, X509Certificate from) {
        return authorities().stream()
                .filter(c -> c.getSubjectX500Principal().equals(to.getSubjectX500Principal())
                        && c.getIssuerX500Principal().equals(from.getSubjectX500Principal())
                        && Arrays.equals(
                                c.getPublicKey().getEncoded(), to.getPublicKey().getEncoded())
                        && !c.equals(to)
                        && signed(c, from))
                .findFirst();
    }

    private static boolean signed(X509Certificate one, X509Certificate by) {
        try {
            return Crypto.verify(by.getPublicKey(), one.getSigAlgName(), one.getTBSCertificate(), one.getSignature());
        } catch (CertificateEncodingException e) {
            return false;
        }
    }

    private InfoTypeAndValue revocationLists(GeneralQuestion.RevocationLists question) throws CmpException {
        if (revocation.mayHaveForgotten()) {
            throw new CmpException(
                    CmpFailure.SYSTEM_UNAVAIL, "no lists are given until the restore from backup is settled");
        }
        List<byte[]> newer = new ArrayList<>();
        for (GeneralQuestion.RevocationLists.Wanted wanted : question.wanted()) {
            RevocationList list = name(wanted.source())
                    .flatMap(revocation.lists()::find)
                    .orElseThrow(() -> new CmpException(
                            CmpFailure.BAD_CERT_ID, "no authority here publishes that revocation list"));
            if (wanted.newerThan().isEmpty()
                    || list.thisUpdate()
                            .truncatedTo(ChronoUnit.SECONDS)
                            .isAfter(wanted.newerThan().get())) {
                newer.add(bytes(list));
            }
        }
        return GeneralQuestion.revocationLists(newer);
    }

    private static byte[] bytes(RevocationList list) throws CmpException {
        return switch (list.content()) {
            case RevocationList.Content.InMemory memory -> memory.der();
            case RevocationList.Content.InFile file ->
                ListFileStore.read(file.file())
                        .orElseThrow(() -> new CmpException(
                                CmpFailure.BAD_REQUEST,
                                "the list is too long for an answer: name the part that the certificate names"));
        };
    }

    /// A distribution point's URI names its list by its last part; an issuer's list is the one of all it has
    /// issued.
    private Optional<ListName> name(GeneralQuestion.RevocationLists.Source source) {
        return switch (source) {
            case GeneralQuestion.RevocationLists.Source.Uris uris ->
                uris.uris().stream()
                        .map(uri -> uri.substring(uri.lastIndexOf('/') + 1))
                        .flatMap(file -> ListName.parse(file).stream())
                        .findFirst();
            case GeneralQuestion.RevocationLists.Source.Issuers issuers ->
                ca.authorities().all().stream()
                        .filter(authority -> issuers.names()
                                .contains(X500Name.getInstance(authority
                                        .certificate()
                                        .getSubjectX500Principal()
                                        .getEncoded())))
                        .map(authority -> new ListName(authority.id(), 0, false))
                        .findFirst();
        };
    }
}
