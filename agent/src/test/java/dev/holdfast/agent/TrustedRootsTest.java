package dev.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.agent.PowerCutStore.PowerCutException;
import dev.holdfast.protocol.x509.Certificates;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;

/// What a device keeps of its roots, over power cuts, withdrawals and files that are given to it again.
class TrustedRootsTest {
    private static final Certified.Root OLD = Certified.root(Duration.ofDays(100));
    private static final Certified.Root NEW = Certified.root(Duration.ofDays(1));
    private static final List<X509Certificate> GIVEN = List.of(OLD.certificate());
    private static final List<X509Certificate> BOTH = List.of(OLD.certificate(), NEW.certificate(), NEW.by(OLD));

    private static TrustedRoots hear(TrustedRoots trusted, List<X509Certificate> listed, Certified.Root server) {
        return trusted.after(trusted.hear(listed, server.server("localhost").chain(), Certified.NOW));
    }

    /// After a whole rollover: the new root alone.
    private static TrustedRoots replaced() {
        TrustedRoots both = hear(TrustedRoots.given(GIVEN), BOTH, OLD);
        return hear(both, List.of(NEW.certificate()), NEW);
    }

    @Test
    void whatIsLearnedAndWithdrawnIsKept() throws IOException {
        TrustedRoots both = hear(TrustedRoots.given(GIVEN), BOTH, OLD);
        assertThat(both.certificates()).containsExactly(OLD.certificate(), NEW.certificate());
        assertThat(both.fingerprints())
                .isEqualTo(Certificates.fingerprint(NEW.certificate()) + " "
                        + Certificates.fingerprint(OLD.certificate()));
        TrustedRoots after = hear(both, List.of(NEW.certificate()), NEW);
        assertThat(after.certificates()).containsExactly(NEW.certificate());

        MemoryDeviceStore store = new MemoryDeviceStore();
        after.write(store);
        assertThat(TrustedRoots.read(store, GIVEN)).isEqualTo(after);
    }

    @Test
    void aPowerCutLeavesTheSetBeforeOrTheSetAfter() throws IOException {
        TrustedRoots before = TrustedRoots.given(GIVEN);
        TrustedRoots after = hear(before, BOTH, OLD);
        for (int seed = 0; seed < 20; seed++) {
            MemoryDeviceStore flash = new MemoryDeviceStore();
            PowerCutStore store = new PowerCutStore(flash, 1, new SplittableRandom(seed));
            assertThatThrownBy(() -> after.write(store)).isInstanceOf(PowerCutException.class);
            assertThat(TrustedRoots.read(flash, GIVEN)).as("seed %d", seed).isIn(before, after);
        }
    }

    @Test
    void anOldFileDoesNotBringAWithdrawnRootBack() throws IOException {
        MemoryDeviceStore store = new MemoryDeviceStore();
        replaced().write(store);
        assertThat(TrustedRoots.read(store, GIVEN).certificates()).containsExactly(NEW.certificate());
    }

    @Test
    void aRootThatAPersonGivesAnewIsTrusted() throws IOException {
        MemoryDeviceStore store = new MemoryDeviceStore();
        replaced().write(store);
        Certified.Root other = Certified.root(Duration.ofDays(2));
        assertThat(TrustedRoots.read(store, List.of(other.certificate())).certificates())
                .containsExactly(NEW.certificate(), other.certificate());
    }

    @Test
    void aRecordThatCanNotBeReadIsNotTakenForNoRecord() {
        MemoryDeviceStore store = new MemoryDeviceStore();
        store.write("trust", "{\"v\":1,\"roots\":[{\"certificate\":\"AAAA\"}]}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> TrustedRoots.read(store, GIVEN)).isInstanceOf(IOException.class);
    }

    private static void connect(TrustedRoots trusted, List<X509Certificate> chain) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("localhost", 443);
        new ServerTrust(() -> trusted, InstantSource.fixed(Certified.NOW))
                .checkServerTrusted(chain.toArray(X509Certificate[]::new), "ECDHE_ECDSA", engine);
    }

    @Test
    void afterAWithdrawalNoChainLeadsThroughTheOldKey() {
        List<X509Certificate> direct = OLD.server("localhost").chain();
        // The old root's key under the new root (OldWithNew): whoever stole that key would come this way.
        List<X509Certificate> aside = List.of(direct.getFirst(), OLD.by(NEW));
        TrustedRoots newAlone = TrustedRoots.given(List.of(NEW.certificate()));
        assertThatCode(() -> connect(newAlone, aside)).doesNotThrowAnyException();
        assertThatThrownBy(() -> connect(replaced(), aside)).isInstanceOf(CertificateException.class);
        assertThatThrownBy(() -> connect(replaced(), direct)).isInstanceOf(CertificateException.class);
        assertThatCode(() -> connect(replaced(), NEW.server("localhost").chain()))
                .doesNotThrowAnyException();
    }
}
