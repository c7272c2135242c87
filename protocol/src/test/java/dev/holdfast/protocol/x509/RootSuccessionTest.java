package dev.holdfast.protocol.x509;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.RootSuccession.Outcome;
import dev.holdfast.protocol.x509.RootSuccession.Refusal;
import dev.holdfast.protocol.x509.RootSuccession.Trusted;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.junit.jupiter.api.Test;

/// What a client believes of a list of authorities: what carries a root in, what does not, and when one goes.
class RootSuccessionTest {
    private static final Instant NOW = Instant.parse("2030-06-01T00:00:00Z");
    private static final String NAME = "CN=Holdfast root";
    private static final KeyPair OLD = Crypto.generateP256(new SecureRandom());
    private static final KeyPair NEXT = Crypto.generateP256(new SecureRandom());
    private static final KeyPair STRANGER = Crypto.generateP256(new SecureRandom());
    private static final X509Certificate OLD_ROOT =
            new Made(NAME, OLD, NAME, OLD).years(2020, 2040).sign();
    private static final X509Certificate NEW_ROOT = new Made(NAME, NEXT, NAME, NEXT).sign();
    private static final X509Certificate NEW_WITH_OLD = new Made(NAME, NEXT, NAME, OLD).sign();
    private static final X509Certificate OLD_WITH_NEW = new Made(NAME, OLD, NAME, NEXT).sign();

    private static List<Trusted> trusting(X509Certificate... roots) {
        List<Trusted> trusted = new ArrayList<>();
        for (X509Certificate root : roots) {
            trusted.add(new Trusted(root, true));
        }
        return trusted;
    }

    private static Outcome hear(List<Trusted> trusted, X509Certificate... listed) {
        return hear(trusted, _ -> false, listed);
    }

    private static Outcome hear(List<Trusted> trusted, Predicate<X509Certificate> vouches, X509Certificate... listed) {
        return RootSuccession.next(trusted, Set.of(), List.of(listed), vouches, NOW);
    }

    private static List<X509Certificate> roots(Outcome outcome) {
        return outcome.trusted().stream().map(Trusted::certificate).toList();
    }

    /// The refusal of this root when it comes with this link, to a client that trusts the old root.
    private static List<Refusal> refused(X509Certificate root, X509Certificate... links) {
        List<X509Certificate> listed = new ArrayList<>(List.of(OLD_ROOT, root));
        listed.addAll(List.of(links));
        Outcome outcome = hear(trusting(OLD_ROOT), listed.toArray(X509Certificate[]::new));
        assertThat(roots(outcome)).containsExactly(OLD_ROOT);
        assertThat(outcome.learned()).isEmpty();
        return outcome.refused().stream().map(RootSuccession.Refused::why).toList();
    }

    @Test
    void aRootComesInCarriedByOneThatIsTrusted() {
        Outcome outcome = hear(trusting(OLD_ROOT), OLD_WITH_NEW, NEW_ROOT, NEW_WITH_OLD, OLD_ROOT);
        assertThat(roots(outcome)).containsExactly(OLD_ROOT, NEW_ROOT);
        assertThat(outcome.learned()).containsExactly(NEW_ROOT);
        assertThat(outcome.refused()).isEmpty();
        assertThat(outcome.withdrawn()).isEmpty();
    }

    @Test
    void aRootThatHasComeInCarriesTheNext() {
        KeyPair third = Crypto.generateP256(new SecureRandom());
        X509Certificate root =
                new Made("CN=third", third, "CN=third", third).years(2030, 2050).sign();
        X509Certificate later =
                new Made(NAME, NEXT, NAME, NEXT).years(2025, 2045).sign();
        X509Certificate link = new Made("CN=third", third, NAME, NEXT).sign();
        Outcome outcome = hear(trusting(OLD_ROOT), root, link, OLD_ROOT, later, NEW_WITH_OLD);
        assertThat(roots(outcome)).containsExactly(OLD_ROOT, later, root);
    }

    @Test
    void aListAloneIsBelievedInNothing() {
        assertThat(refused(NEW_ROOT)).containsExactly(Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT);
    }

    @Test
    void aLinkForAnotherKeyCarriesNothing() {
        X509Certificate strangers = new Made(NAME, STRANGER, NAME, STRANGER).sign();
        // The link speaks for NEXT, the root is a stranger's of the same name.
        assertThat(refused(strangers, NEW_WITH_OLD)).containsExactly(Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT);
    }

    @Test
    void aLinkByWhomNobodyTrustsCarriesNothing() {
        X509Certificate forged = new Made(NAME, NEXT, NAME, STRANGER).sign();
        assertThat(refused(NEW_ROOT, forged)).contains(Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT);
    }

    @Test
    void anIssuerBelowTheRootMayNotCarryRoots() {
        KeyPair issuerKey = Crypto.generateP256(new SecureRandom());
        X509Certificate issuer = new Made("CN=Servers", issuerKey, NAME, OLD).sign();
        X509Certificate link = new Made(NAME, NEXT, "CN=Servers", issuerKey).sign();
        assertThat(refused(NEW_ROOT, issuer, link)).containsExactly(Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT);
        // Nor when a device was given that issuer as its anchor.
        Outcome pinned = hear(trusting(issuer), NEW_ROOT, link, issuer);
        assertThat(roots(pinned)).containsExactly(issuer);
    }

    @Test
    void aLinkThatIsNoAuthoritysCarriesNothing() {
        X509Certificate leaf = new Made(NAME, NEXT, NAME, OLD)
                .constraints(new BasicConstraints(false))
                .sign();
        X509Certificate noSigning =
                new Made(NAME, NEXT, NAME, OLD).usage(KeyUsage.digitalSignature).sign();
        assertThat(refused(NEW_ROOT, leaf)).containsExactly(Refusal.LINK_NOT_AN_AUTHORITY);
        assertThat(refused(NEW_ROOT, noSigning)).containsExactly(Refusal.LINK_NOT_AN_AUTHORITY);
    }

    @Test
    void aLinkThatHasEndedOrNotBegunCarriesNothing() {
        X509Certificate ended =
                new Made(NAME, NEXT, NAME, OLD).years(2021, 2025).sign();
        X509Certificate toCome =
                new Made(NAME, NEXT, NAME, OLD).years(2035, 2039).sign();
        assertThat(refused(NEW_ROOT, ended)).containsExactly(Refusal.LINK_NOT_IN_FORCE);
        assertThat(refused(NEW_ROOT, toCome)).containsExactly(Refusal.LINK_NOT_IN_FORCE);
    }

    @Test
    void aLinkWithLimitsCarriesNothing() throws Exception {
        byte[] limits = new NameConstraints(
                        new GeneralSubtree[] {new GeneralSubtree(new GeneralName(GeneralName.dNSName, "example.org"))},
                        null)
                .getEncoded();
        X509Certificate limited = new Made(NAME, NEXT, NAME, OLD)
                .with(Extension.nameConstraints, true, limits)
                .sign();
        assertThat(refused(NEW_ROOT, limited)).containsExactly(Refusal.LINK_LIMITS);
    }

    @Test
    void aRootThatIsNoAuthoritysIsRefused() {
        X509Certificate leaf = new Made(NAME, NEXT, NAME, NEXT)
                .constraints(new BasicConstraints(false))
                .sign();
        assertThat(refused(leaf, NEW_WITH_OLD)).containsExactly(Refusal.NOT_AN_AUTHORITY);
    }

    @Test
    void aRootThatHasEndedOrNotBegunIsRefused() {
        X509Certificate ended =
                new Made(NAME, NEXT, NAME, NEXT).years(2021, 2025).sign();
        X509Certificate toCome =
                new Made(NAME, NEXT, NAME, NEXT).years(2035, 2039).sign();
        assertThat(refused(ended, NEW_WITH_OLD)).containsExactly(Refusal.NOT_IN_FORCE);
        assertThat(refused(toCome, NEW_WITH_OLD)).containsExactly(Refusal.NOT_IN_FORCE);
    }

    @Test
    void aRootWithAWrongOrWeakSignatureIsRefused() {
        X509Certificate byAnother = new Made(NAME, NEXT, NAME, STRANGER).sign();
        X509Certificate weak =
                new Made(NAME, NEXT, NAME, NEXT).scheme("SHA1withECDSA").sign();
        assertThat(refused(byAnother)).containsExactly(Refusal.SIGNATURE_WRONG);
        assertThat(refused(weak, NEW_WITH_OLD)).containsExactly(Refusal.SIGNATURE_WRONG);
    }

    @Test
    void aLinkWithAWeakSignatureCarriesNothing() {
        X509Certificate weak =
                new Made(NAME, NEXT, NAME, OLD).scheme("SHA1withECDSA").sign();
        assertThat(refused(NEW_ROOT, weak)).contains(Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT);
    }

    @Test
    void aRootWithAWeakKeyIsRefused() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(1_024);
        KeyPair weak = generator.generateKeyPair();
        X509Certificate root =
                new Made(NAME, weak, NAME, weak).scheme("SHA256withRSA").sign();
        X509Certificate link = new Made(NAME, weak, NAME, OLD).sign();
        assertThat(refused(root, link)).containsExactly(Refusal.KEY_NOT_ACCEPTED);
    }

    @Test
    void aRootWithACriticalExtensionThatNobodyKnowsIsRefused() {
        X509Certificate odd = new Made(NAME, NEXT, NAME, NEXT)
                .with(new org.bouncycastle.asn1.ASN1ObjectIdentifier("1.2.3.4"), true, new byte[] {5, 0})
                .sign();
        assertThat(refused(odd, NEW_WITH_OLD)).containsExactly(Refusal.CRITICAL_EXTENSION_UNKNOWN);
    }

    @Test
    void aRootThatHasEndedCarriesNothing() {
        X509Certificate ended = new Made(NAME, OLD, NAME, OLD).years(2020, 2025).sign();
        Outcome outcome = hear(trusting(ended), ended, NEW_ROOT, NEW_WITH_OLD);
        assertThat(outcome.learned()).isEmpty();
        assertThat(outcome.refused()).extracting(RootSuccession.Refused::why).containsExactly(Refusal.CARRIER_NOT_GOOD);
        assertThat(roots(outcome)).as("the last one stays").containsExactly(ended);
    }

    @Test
    void aRootThatMayHaveNoAuthorityBelowItCarriesNoneOfAnotherName() {
        X509Certificate narrow = new Made(NAME, OLD, NAME, OLD)
                .years(2020, 2040)
                .constraints(new BasicConstraints(0))
                .sign();
        X509Certificate other = new Made("CN=other", NEXT, "CN=other", NEXT).sign();
        X509Certificate link = new Made("CN=other", NEXT, NAME, OLD).sign();
        Outcome outcome = hear(trusting(narrow), narrow, other, link);
        assertThat(outcome.refused()).extracting(RootSuccession.Refused::why).containsExactly(Refusal.CARRIER_NOT_GOOD);
    }

    @Test
    void theWayBackToAnOlderRootIsNotTaken() {
        Outcome outcome = hear(trusting(NEW_ROOT), NEW_ROOT, OLD_ROOT, OLD_WITH_NEW, NEW_WITH_OLD);
        assertThat(roots(outcome)).containsExactly(NEW_ROOT);
        assertThat(outcome.refused()).extracting(RootSuccession.Refused::why).containsExactly(Refusal.NOT_NEWER);
    }

    @Test
    void aKeyThatWasWithdrawnDoesNotComeBackYoungerAndCarried() {
        X509Certificate again = new Made(NAME, OLD, NAME, OLD).years(2030, 2050).sign();
        X509Certificate younger =
                new Made(NAME, NEXT, NAME, NEXT).years(2025, 2045).sign();
        Set<String> withdrawn =
                Set.of(Certificates.keyFingerprint(OLD.getPublic().getEncoded()));
        Outcome outcome = RootSuccession.next(
                trusting(younger), withdrawn, List.of(younger, again, OLD_WITH_NEW), _ -> true, NOW);
        assertThat(outcome.refused()).extracting(RootSuccession.Refused::why).containsExactly(Refusal.WITHDRAWN);
    }

    @Test
    void noMoreThanSoManyAreKept() {
        List<X509Certificate> listed = new ArrayList<>(List.of(OLD_ROOT));
        for (int i = 0; i < RootSuccession.MOST_ROOTS + 3; i++) {
            KeyPair key = Crypto.generateP256(new SecureRandom());
            listed.add(new Made(NAME, key, NAME, key).sign());
            listed.add(new Made(NAME, key, NAME, OLD).sign());
        }
        Outcome outcome = hear(trusting(OLD_ROOT), listed.toArray(X509Certificate[]::new));
        assertThat(outcome.trusted()).hasSize(RootSuccession.MOST_ROOTS);
        assertThat(outcome.refused())
                .hasSize(4)
                .extracting(RootSuccession.Refused::why)
                .containsOnly(Refusal.TOO_MANY);
    }

    @Test
    void aRootThatIsListedNoMoreGoesWhenANewerOneVouches() {
        Outcome outcome = hear(trusting(OLD_ROOT, NEW_ROOT), NEW_ROOT::equals, NEW_ROOT);
        assertThat(roots(outcome)).containsExactly(NEW_ROOT);
        assertThat(outcome.withdrawn()).containsExactly(OLD_ROOT);
    }

    @Test
    void theRootThatTheServerStillNeedsStays() {
        Outcome outcome = hear(trusting(OLD_ROOT, NEW_ROOT), OLD_ROOT::equals, NEW_ROOT);
        assertThat(roots(outcome)).containsExactly(OLD_ROOT, NEW_ROOT);
    }

    @Test
    void whoHasTheOldRootsKeyCanNotTakeTheNewOne() {
        Outcome outcome = hear(trusting(OLD_ROOT, NEW_ROOT), OLD_ROOT::equals, OLD_ROOT);
        assertThat(roots(outcome)).containsExactly(OLD_ROOT, NEW_ROOT);
    }

    @Test
    void aRootThatTheServerNeverListedIsNotItsToWithdraw() {
        List<Trusted> trusted = List.of(new Trusted(OLD_ROOT, false), new Trusted(NEW_ROOT, true));
        assertThat(roots(hear(trusted, NEW_ROOT::equals, NEW_ROOT))).containsExactly(OLD_ROOT, NEW_ROOT);
    }

    @Test
    void aRootThatHasEndedGoesOnceAnotherDoesItsWork() {
        X509Certificate ended = new Made(NAME, OLD, NAME, OLD).years(2020, 2025).sign();
        assertThat(roots(hear(trusting(ended, NEW_ROOT), NEW_ROOT::equals, ended, NEW_ROOT)))
                .containsExactly(NEW_ROOT);
        assertThat(roots(hear(trusting(ended, NEW_ROOT), ended::equals, ended, NEW_ROOT)))
                .containsExactly(ended, NEW_ROOT);
    }

    @Test
    void anEmptyListTakesNothingAway() {
        assertThat(roots(hear(trusting(OLD_ROOT, NEW_ROOT), _ -> true))).containsExactly(OLD_ROOT, NEW_ROOT);
    }
}
