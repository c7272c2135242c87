package dev.holdfast.detection;

import dev.holdfast.detection.Baseline.Draft;
import dev.holdfast.detection.Baseline.Ongoing;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/// A baseline as octets, for its checkpoint. The first octet is the version; one of an unknown version is not read, and
/// the device is learnt anew.
final class BaselineCodec {
    private static final int VERSION = 2;

    private BaselineCodec() {}

    static byte[] encode(Baseline b) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream(1_600);
        try (DataOutputStream out = new DataOutputStream(octets)) {
            out.writeByte(VERSION);
            out.writeLong(b.heardAt);
            out.writeLong(b.healthyAt);
            out.writeLong(b.unhealthyAt);
            out.writeByte(b.metrics.length);
            for (int i = 0; i < b.metrics.length; i++) {
                out.writeUTF(b.metrics[i]);
                write(out, b.history[i]);
            }
            write(out, b.parties);
            write(out, b.reach);
            for (Tally tally :
                    new Tally[] {b.messages, b.forbidden, b.foreign, b.malformed, b.limited, b.failures, b.impossible
                    }) {
                out.writeLong(tally.since());
                out.writeInt(tally.count());
            }
            out.writeByte(b.ongoing.size());
            for (Ongoing o : b.ongoing) {
                out.writeUTF(o.cause().name());
                out.writeUTF(o.severity().name());
                out.writeLong(o.since());
                out.writeLong(o.seenAt());
                out.writeLong(o.toldAt());
                out.writeInt(o.told());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return octets.toByteArray();
    }

    /// @return the baseline, or a new one when the octets are of another version or damaged
    static Baseline decode(byte[] octets) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(octets))) {
            int version = in.readByte();
            if (version < 1 || version > VERSION) {
                return Baseline.NEW;
            }
            Draft draft = new Draft();
            draft.heardAt = in.readLong();
            draft.healthyAt = in.readLong();
            draft.unhealthyAt = in.readLong();
            int metrics = in.readUnsignedByte();
            for (int i = 0; i < metrics; i++) {
                int place = draft.place(in.readUTF().intern());
                Seasonal seasonal = readSeasonal(in);
                if (place >= 0) {
                    draft.setHistory(place, seasonal);
                }
            }
            draft.parties = readParties(in, version);
            draft.reach = new Reach(in.readLong(), readHashes(in), readHashes(in), in.readInt(), in.readLong());
            draft.messages = readTally(in);
            draft.forbidden = readTally(in);
            draft.foreign = readTally(in);
            draft.malformed = readTally(in);
            draft.limited = readTally(in);
            draft.failures = readTally(in);
            draft.impossible = readTally(in);
            int ongoing = in.readUnsignedByte();
            List<Ongoing> all = new ArrayList<>(ongoing);
            for (int i = 0; i < ongoing; i++) {
                all.add(new Ongoing(
                        Finding.Cause.valueOf(in.readUTF()),
                        Finding.Severity.valueOf(in.readUTF()),
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        in.readInt()));
            }
            draft.ongoing = List.copyOf(all);
            return draft.freeze();
        } catch (IOException | IllegalArgumentException e) {
            return Baseline.NEW;
        }
    }

    private static void write(DataOutputStream out, Seasonal s) throws IOException {
        for (float level : s.level) {
            out.writeFloat(level);
        }
        for (char weight : s.weight) {
            out.writeChar(weight);
        }
        out.writeLong(s.lastAt);
        out.writeLong(s.lastImportedAt);
        out.writeFloat(s.anchor);
        out.writeFloat(s.anchorSpread);
        out.writeFloat(s.suspicion);
    }

    private static Seasonal readSeasonal(DataInputStream in) throws IOException {
        float[] level = new float[Seasonal.HOURS + Seasonal.BLOCKS];
        for (int i = 0; i < level.length; i++) {
            level[i] = in.readFloat();
        }
        char[] weight = new char[Seasonal.HOURS];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = in.readChar();
        }
        return new Seasonal(
                level, weight, in.readLong(), in.readLong(), in.readFloat(), in.readFloat(), in.readFloat());
    }

    /// No session outlives a restart, so only the hosts are kept.
    private static void write(DataOutputStream out, Parties p) throws IOException {
        for (Parties.Track track : new Parties.Track[] {p.mqtt(), p.https()}) {
            out.writeInt(track.host());
            out.writeInt(track.otherHost());
        }
        out.writeInt(p.score());
        out.writeLong(p.scoreSince());
        out.writeInt(p.sidesteps());
        out.writeLong(p.sidestepsSince());
        out.writeBoolean(p.usedSinceSuperseded());
        out.writeInt(p.supersededTurns());
        out.writeLong(p.supersededSince());
    }

    private static Parties readParties(DataInputStream in, int version) throws IOException {
        return new Parties(
                new Parties.Track(0, 0, in.readInt(), in.readInt()),
                new Parties.Track(0, 0, in.readInt(), in.readInt()),
                in.readInt(),
                in.readLong(),
                version < 2 ? 0 : in.readInt(),
                version < 2 ? 0 : in.readLong(),
                in.readBoolean(),
                in.readInt(),
                in.readLong());
    }

    private static void write(DataOutputStream out, Reach r) throws IOException {
        out.writeLong(r.since());
        writeHashes(out, r.hosts());
        writeHashes(out, r.ports());
        out.writeInt(r.refused());
        out.writeLong(r.refusedSince());
    }

    private static void writeHashes(DataOutputStream out, int[] hashes) throws IOException {
        out.writeByte(hashes.length);
        for (int hash : hashes) {
            out.writeInt(hash);
        }
    }

    private static int[] readHashes(DataInputStream in) throws IOException {
        int[] hashes = new int[in.readUnsignedByte()];
        for (int i = 0; i < hashes.length; i++) {
            hashes[i] = in.readInt();
        }
        return hashes;
    }

    private static Tally readTally(DataInputStream in) throws IOException {
        return new Tally(in.readLong(), in.readInt());
    }
}
