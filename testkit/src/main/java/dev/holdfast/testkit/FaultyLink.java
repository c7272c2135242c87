package dev.holdfast.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A TCP link on loopback that can be made slow, frozen or cut, as networks are: put it between two parts under test.
///
/// - [#delay]: each piece of data waits that long, in both directions.
/// - [#pause]: connections stay open and nothing passes (a network that swallows packets); new ones are accepted.
/// - [#cut]: open connections are reset and new ones are closed at once.
/// - [#heal]: undoes the three.
public final class FaultyLink implements AutoCloseable {
    private final InetSocketAddress target;
    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final ReentrantLock state = new ReentrantLock();
    private final Condition changed = state.newCondition();
    private final AtomicLong toTarget = new AtomicLong();
    private final AtomicLong fromTarget = new AtomicLong();
    private volatile Duration delay = Duration.ZERO;
    private volatile boolean cut;
    private volatile boolean closed;
    private boolean paused;

    private FaultyLink(InetSocketAddress target, ServerSocket listener) {
        this.target = target;
        this.listener = listener;
    }

    /// A healthy link from a free port on 127.0.0.1 to the target.
    public static FaultyLink to(String host, int port) {
        try {
            ServerSocket listener = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
            FaultyLink link = new FaultyLink(new InetSocketAddress(host, port), listener);
            Thread.ofVirtual().name("faulty-link").start(link::accept);
            return link;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Where to connect instead of the target.
    public int port() {
        return listener.getLocalPort();
    }

    public void delay(Duration each) {
        delay = each;
    }

    public void pause() {
        set(true);
    }

    public void cut() {
        cut = true;
        open.forEach(FaultyLink::reset);
        signal();
    }

    public void heal() {
        delay = Duration.ZERO;
        cut = false;
        set(false);
    }

    /// Octets passed on so far, from those who connected to the target.
    public long sent() {
        return toTarget.get();
    }

    /// Octets passed on so far, from the target to those who connected.
    public long received() {
        return fromTarget.get();
    }

    private void set(boolean pausedNow) {
        state.lock();
        try {
            paused = pausedNow;
            changed.signalAll();
        } finally {
            state.unlock();
        }
    }

    private void signal() {
        state.lock();
        try {
            changed.signalAll();
        } finally {
            state.unlock();
        }
    }

    private void accept() {
        while (!closed) {
            try {
                Socket near = listener.accept();
                open.add(near);
                if (cut) {
                    end(near);
                } else {
                    Thread.ofVirtual().name("faulty-link-connect").start(() -> connect(near));
                }
            } catch (IOException e) {
                if (!closed) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void connect(Socket near) {
        Socket far = new Socket();
        open.add(far);
        try {
            awaitPassage();
            far.connect(target, 10_000);
            near.setTcpNoDelay(true);
            far.setTcpNoDelay(true);
            Thread.ofVirtual().name("faulty-link-up").start(() -> pump(near, far, toTarget));
            Thread.ofVirtual().name("faulty-link-down").start(() -> pump(far, near, fromTarget));
        } catch (IOException | InterruptedException refused) {
            end(near);
            end(far);
        }
    }

    private void pump(Socket from, Socket to, AtomicLong count) {
        byte[] buffer = new byte[16_384];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (!delay.isZero()) {
                    Thread.sleep(delay);
                }
                awaitPassage();
                if (cut || closed) {
                    break;
                }
                count.addAndGet(n); // before: whoever has it sees it counted
                out.write(buffer, 0, n);
            }
            if (!cut && !closed) {
                to.shutdownOutput(); // half-closed, as TCP allows; the other direction goes on
                return;
            }
        } catch (IOException | InterruptedException ended) {
            end(from);
            end(to);
        }
    }

    private void awaitPassage() throws InterruptedException {
        state.lockInterruptibly();
        try {
            while (paused && !cut && !closed) {
                changed.await();
            }
        } finally {
            state.unlock();
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException alreadyClosed) {
            // nothing left to reset
        }
    }

    private void end(Socket socket) {
        open.remove(socket);
        reset(socket);
    }

    @Override
    public void close() {
        closed = true;
        cut();
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
