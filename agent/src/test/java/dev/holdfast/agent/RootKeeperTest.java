package dev.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.Certificates;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// An agent against whoever holds the server's TLS key and answers `cacerts` as he likes: he can tell the device
/// of roots, and plant none.
class RootKeeperTest {
    private static final Certified.Root OLD = Certified.root(Duration.ofDays(100));
    private static final Certified.Root NEW = Certified.root(Duration.ofDays(1));
    private static final String LIST = "application/pkcs7-mime; smime-type=certs-only";

    private final MemoryDeviceStore store = new MemoryDeviceStore();
    private final List<String> notes = new CopyOnWriteArrayList<>();
    private HttpsServer server;
    private MultiThreadIoEventLoopGroup group;
    private Agent agent;
    private volatile byte[] answer = new byte[0];
    private volatile int status = 200;
    private final AtomicInteger asked = new AtomicInteger();

    @BeforeEach
    void start() throws Exception {
        DeviceIdentity identity = OLD.server("localhost");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("server", identity.key(), new char[0], identity.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, new char[0]);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(factory.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getByName("localhost"), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls) {
            @Override
            public void configure(HttpsParameters parameters) {
                parameters.setWantClientAuth(false);
            }
        });
        server.createContext("/", exchange -> {
            boolean list = exchange.getRequestURI().getPath().equals("/.well-known/est/cacerts");
            exchange.getResponseHeaders().set("content-type", LIST);
            exchange.sendResponseHeaders(list ? status : 404, list && answer.length > 0 ? answer.length : -1);
            if (list) {
                asked.incrementAndGet();
                exchange.getResponseBody().write(answer);
            }
            exchange.close();
        });
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        Agent.manufacture(store, "1.0.0", Bench.image("1.0.0", 100));
        store.write("identity.pem", OLD.device("meter-1").toPem());
        Target target = new Target("localhost", server.getAddress().getPort());
        agent = new Agent(
                new AgentSettings(
                        "meter-1",
                        Bench.HARDWARE,
                        target,
                        new Target("localhost", 1), // nobody speaks MQTT here
                        "DEFAULT",
                        Route.DIRECT,
                        List.of(OLD.certificate()),
                        List.of(),
                        Optional.empty(),
                        Duration.ofSeconds(1),
                        new AgentSettings.Pace(
                                Duration.ofMillis(50),
                                Duration.ofSeconds(20),
                                Duration.ofMillis(50),
                                Duration.ofSeconds(30),
                                Duration.ofMillis(100),
                                Duration.ofMillis(200),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(10),
                                Duration.ofMillis(100))),
                store,
                new HostPlatform(),
                (EventLoop) group.next(),
                InstantSource.system(),
                new SecureRandom(),
                (event, detail) -> notes.add(event + ": " + detail));
    }

    @AfterEach
    void stop() {
        agent.cutPower().join();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        server.stop(0);
    }

    private void await(String note) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (notes.stream().noneMatch(n -> n.contains(note))) {
            assertThat(System.nanoTime()).as("not in time: %s; %s", note, notes).isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static byte[] list(X509Certificate... certificates) {
        return Base64.getMimeEncoder().encode(CertificatesOnly.encode(List.of(certificates)));
    }

    private List<X509Certificate> trusted() throws IOException {
        return TrustedRoots.read(store, List.of(OLD.certificate())).certificates();
    }

    @Test
    void whatTheOldRootCarriesInIsLearnedAndKept() throws Exception {
        answer = list(OLD.certificate(), NEW.certificate(), NEW.by(OLD), OLD.by(NEW));
        agent.start();
        await("root-learned: " + Certificates.fingerprint(NEW.certificate()));
        assertThat(trusted()).containsExactly(OLD.certificate(), NEW.certificate());
    }

    @Test
    void aRootThatNobodyCarriesInIsNotPlanted() throws Exception {
        answer = list(OLD.certificate(), NEW.certificate(), OLD.by(NEW));
        agent.start();
        await("root-refused: " + Certificates.fingerprint(NEW.certificate()) + ": NOT_CARRIED_BY_A_TRUSTED_ROOT");
        assertThat(trusted()).containsExactly(OLD.certificate());
    }

    @Test
    void aListWithoutTheRootInUseTakesNothingAway() throws Exception {
        answer = list(OLD.certificate(), NEW.certificate(), NEW.by(OLD));
        agent.start();
        await("root-learned");
        answer = list(NEW.certificate());
        notes.clear();
        status = 500;
        await("roots-not-heard: the server answered 500");
        status = 200;
        notes.clear();
        int before = asked.get();
        while (asked.get() < before + 4) { // the connection is under the old root, which therefore stays
            Thread.sleep(10);
        }
        assertThat(notes).noneMatch(n -> n.startsWith("root"));
        assertThat(trusted()).containsExactly(OLD.certificate(), NEW.certificate());
    }

    @Test
    void whatIsNoListIsNotBelieved() throws Exception {
        agent.start();
        answer = "not base64 \u0000".getBytes(StandardCharsets.UTF_8);
        await("roots-not-heard: the answer is not a list");
        notes.clear();
        answer = new byte[300_000];
        await("roots-not-heard: the answer was refused");
        notes.clear();
        answer = Base64.getMimeEncoder().encode(new byte[] {0x30, 0x03, 0x02, 0x01, 0x01});
        await("roots-not-heard: the answer is not a list");
        status = 401;
        await("roots-not-heard: the server answered 401");
        assertThat(trusted()).containsExactly(OLD.certificate());
    }
}
