package dev.holdfast.protocol.x509;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.RootKeyUpdate.Fault;
import dev.holdfast.protocol.x509.RootSuccession.Refusal;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.Test;

/// The new root and the crossed certificates that a ceremony hands in: what fits, and each thing that does not.
class RootKeyUpdateTest {
    private static final Instant NOW = Instant.parse("2030-06-01T00:00:00Z");
    private static final String FIRST = "CN=City root,O=City";
    private static final String SECOND = "CN=City root 2,O=City";
    private static final KeyPair OLD = Crypto.generateP256(new SecureRandom());
    private static final KeyPair NEXT = Crypto.generateP256(new SecureRandom());
    private static final KeyPair STRANGER = Crypto.generateP256(new SecureRandom());
    private static final X509Certificate OLD_ROOT =
            root(FIRST, OLD, 2).years(2020, 2040).sign();
    private static final X509Certificate NEW_ROOT = root(SECOND, NEXT, 2).sign();
    private static final X509Certificate NEW_WITH_OLD = new Made(SECOND, NEXT, FIRST, OLD).sign();
    private static final X509Certificate OLD_WITH_NEW = new Made(FIRST, OLD, SECOND, NEXT).sign();

    private static Made root(String name, KeyPair key, int below) {
        return new Made(name, key, name, key).constraints(new BasicConstraints(below));
    }

    private static RootKeyUpdate.Outcome check(X509Certificate root, X509Certificate... crosses) {
        return RootKeyUpdate.check(OLD_ROOT, root, List.of(crosses), Set.of(), NOW);
    }

    private static RootKeyUpdate.Refused refused(Fault fault) {
        return new RootKeyUpdate.Refused(fault, Optional.empty());
    }

    private static RootKeyUpdate.Refused refused(Fault fault, Refusal why) {
        return new RootKeyUpdate.Refused(fault, Optional.of(why));
    }

    @Test
    void whatBothRootsHaveSignedIsTakenInAnyOrder() {
        for (X509Certificate[] crosses : List.of(
                new X509Certificate[] {NEW_WITH_OLD, OLD_WITH_NEW},
                new X509Certificate[] {OLD_WITH_NEW, NEW_WITH_OLD})) {
            assertThat(check(NEW_ROOT, crosses)).isInstanceOfSatisfying(RootKeyUpdate.Checked.class, checked -> {
                assertThat(checked.update().old()).isEqualTo(OLD_ROOT);
                assertThat(checked.update().newWithNew()).isEqualTo(NEW_ROOT);
                assertThat(checked.update().newWithOld()).isEqualTo(NEW_WITH_OLD);
                assertThat(checked.update().oldWithNew()).isEqualTo(OLD_WITH_NEW);
            });
        }
    }

    @Test
    void aRootThatNobodySignedForIsRefused() {
        assertThat(check(NEW_ROOT)).isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        assertThat(check(NEW_ROOT, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
    }

    @Test
    void aCrossThatTheRootItNamesDidNotSignIsRefused() {
        X509Certificate forged = new Made(SECOND, NEXT, FIRST, STRANGER).sign();
        assertThat(check(NEW_ROOT, forged, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        X509Certificate forgedBack = new Made(FIRST, OLD, SECOND, STRANGER).sign();
        assertThat(check(NEW_ROOT, NEW_WITH_OLD, forgedBack)).isEqualTo(refused(Fault.OLD_WITH_NEW_MISSING));
    }

    @Test
    void aCrossForAnotherKeyIsNotOfThisUpdate() {
        X509Certificate other = new Made(SECOND, STRANGER, FIRST, OLD).sign();
        assertThat(check(NEW_ROOT, other, OLD_WITH_NEW)).isEqualTo(refused(Fault.NOT_OF_THIS_UPDATE));
        assertThat(check(NEW_ROOT, NEW_WITH_OLD, OLD_WITH_NEW, other)).isEqualTo(refused(Fault.NOT_OF_THIS_UPDATE));
        X509Certificate twice = new Made(SECOND, NEXT, FIRST, OLD).sign();
        assertThat(check(NEW_ROOT, NEW_WITH_OLD, twice)).isEqualTo(refused(Fault.NOT_OF_THIS_UPDATE));
        List<X509Certificate> many = new ArrayList<>(Collections.nCopies(10_000, NEW_WITH_OLD));
        assertThat(RootKeyUpdate.check(OLD_ROOT, NEW_ROOT, many, Set.of(), NOW))
                .isEqualTo(refused(Fault.NOT_OF_THIS_UPDATE));
    }

    @Test
    void aCrossWithAnotherNameIsRefused() {
        X509Certificate named = new Made("CN=Somebody", NEXT, FIRST, OLD).sign();
        assertThat(check(NEW_ROOT, named, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        X509Certificate back = new Made("CN=Somebody", OLD, SECOND, NEXT).sign();
        assertThat(check(NEW_ROOT, NEW_WITH_OLD, back)).isEqualTo(refused(Fault.OLD_WITH_NEW_MISSING));
        X509Certificate by = new Made(SECOND, NEXT, "CN=Somebody", OLD).sign();
        assertThat(check(NEW_ROOT, by, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
    }

    @Test
    void whatHasEndedOrNotBegunIsRefused() {
        assertThat(check(
                        NEW_ROOT,
                        new Made(SECOND, NEXT, FIRST, OLD).years(2021, 2025).sign(),
                        OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.LINK_NOT_IN_FORCE));
        assertThat(check(
                        NEW_ROOT,
                        NEW_WITH_OLD,
                        new Made(FIRST, OLD, SECOND, NEXT).years(2035, 2039).sign()))
                .isEqualTo(refused(Fault.OLD_WITH_NEW_NOT_GOOD, Refusal.LINK_NOT_IN_FORCE));
        X509Certificate ended = root(SECOND, NEXT, 2).years(2021, 2025).sign();
        assertThat(check(ended, NEW_WITH_OLD, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_IN_FORCE));
    }

    @Test
    void whatLeavesNoRoomForAnIssuerIsRefused() {
        BasicConstraints none = new BasicConstraints(0);
        assertThat(check(
                        NEW_ROOT,
                        new Made(SECOND, NEXT, FIRST, OLD).constraints(none).sign(),
                        OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NO_ROOM_BELOW));
        assertThat(check(root(SECOND, NEXT, 0).sign(), NEW_WITH_OLD, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NO_ROOM_BELOW));
        // A root that allows one authority below it carries one of another name, but no issuer below that.
        X509Certificate narrow = root(FIRST, OLD, 1).years(2020, 2040).sign();
        List<X509Certificate> crosses = List.of(NEW_WITH_OLD, OLD_WITH_NEW);
        assertThat(RootKeyUpdate.check(narrow, NEW_ROOT, crosses, Set.of(), NOW))
                .isEqualTo(refused(Fault.NO_ROOM_BELOW));
        // Of its own name it does: what is self-issued is not counted.
        X509Certificate sameName = root(FIRST, NEXT, 1).sign();
        assertThat(RootKeyUpdate.check(
                        narrow,
                        sameName,
                        List.of(new Made(FIRST, NEXT, FIRST, OLD).sign(), new Made(FIRST, OLD, FIRST, NEXT).sign()),
                        Set.of(),
                        NOW))
                .isInstanceOf(RootKeyUpdate.Checked.class);
    }

    @Test
    void whatIsNoAuthoritysIsRefused() {
        X509Certificate leaf = new Made(SECOND, NEXT, FIRST, OLD)
                .constraints(new BasicConstraints(false))
                .sign();
        assertThat(check(NEW_ROOT, leaf, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.LINK_NOT_AN_AUTHORITY));
        X509Certificate mute = new Made(FIRST, OLD, SECOND, NEXT)
                .usage(KeyUsage.digitalSignature)
                .sign();
        assertThat(check(NEW_ROOT, NEW_WITH_OLD, mute))
                .isEqualTo(refused(Fault.OLD_WITH_NEW_NOT_GOOD, Refusal.LINK_NOT_AN_AUTHORITY));
        X509Certificate notSelfSigned = new Made(SECOND, NEXT, FIRST, STRANGER).sign();
        assertThat(check(notSelfSigned, NEW_WITH_OLD, OLD_WITH_NEW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.SIGNATURE_WRONG));
    }

    @Test
    void theOldRootAnOlderOneAndAKeyOfBeforeAreRefused() {
        assertThat(check(OLD_ROOT, NEW_WITH_OLD)).isEqualTo(refused(Fault.SAME_ROOT));
        X509Certificate sameKey = root(FIRST, OLD, 2).sign();
        assertThat(check(sameKey, NEW_WITH_OLD)).isEqualTo(refused(Fault.SAME_ROOT));
        X509Certificate older = root(SECOND, NEXT, 2).years(2019, 2045).sign();
        assertThat(check(older, NEW_WITH_OLD, OLD_WITH_NEW)).isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.NOT_NEWER));
        assertThat(RootKeyUpdate.check(
                        OLD_ROOT,
                        NEW_ROOT,
                        List.of(NEW_WITH_OLD, OLD_WITH_NEW),
                        Set.of(Certificates.keyFingerprint(NEXT.getPublic().getEncoded())),
                        NOW))
                .isEqualTo(refused(Fault.NOT_BELIEVED, Refusal.WITHDRAWN));
    }
}
