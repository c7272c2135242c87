package dev.holdfast.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultyLinkTest {
    private ServerSocket echo;
    private FaultyLink link;

    @BeforeEach
    void start() throws IOException {
        echo = new ServerSocket(0);
        Thread.ofVirtual().start(() -> {
            while (!echo.isClosed()) {
                try {
                    Socket one = echo.accept();
                    Thread.ofVirtual().start(() -> {
                        try (one) {
                            one.getInputStream().transferTo(one.getOutputStream());
                        } catch (IOException ended) {
                            // the link was cut
                        }
                    });
                } catch (IOException closed) {
                    return;
                }
            }
        });
        link = FaultyLink.to("127.0.0.1", echo.getLocalPort());
    }

    @AfterEach
    void stop() throws IOException {
        link.close();
        echo.close();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), link.port());
        socket.setSoTimeout(5_000);
        return socket;
    }

    private static String exchange(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readNBytes(text.length()), StandardCharsets.US_ASCII);
    }

    @Test
    void passesDataBothWaysAndCountsIt() throws IOException {
        try (Socket socket = connect()) {
            assertThat(exchange(socket, "hello")).isEqualTo("hello");
        }
        assertThat(link.sent()).isEqualTo(5);
        assertThat(link.received()).isEqualTo(5);
    }

    @Test
    void aPausedLinkHoldsDataUntilItHeals() throws IOException {
        try (Socket socket = connect()) {
            exchange(socket, "a");
            link.pause();
            socket.getOutputStream().write('b');
            socket.setSoTimeout(200);
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            link.heal();
            socket.setSoTimeout(5_000);
            assertThat(socket.getInputStream().read()).isEqualTo('b');
        }
    }

    @Test
    void aCutLinkResetsOpenConnectionsAndEndsNewOnes() throws IOException {
        try (Socket socket = connect()) {
            exchange(socket, "a");
            link.cut();
            assertEnds(socket);
        }
        try (Socket socket = connect()) {
            assertEnds(socket);
        }
        link.heal();
        try (Socket socket = connect()) {
            assertThat(exchange(socket, "again")).isEqualTo("again");
        }
    }

    private static void assertEnds(Socket socket) {
        int read;
        try {
            read = socket.getInputStream().read();
        } catch (SocketTimeoutException stillOpen) {
            throw new AssertionError("the connection is still open", stillOpen);
        } catch (IOException reset) {
            read = -1;
        }
        assertThat(read).isEqualTo(-1);
    }
}
