//! A line over the internet that loses packets.

use emotone::audio::{AudioError, Waveform};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// Duration of a packet, in seconds, as nearly all voice over IP sends them.
const PACKET_SECONDS: f64 = 0.02;
/// What is left of a packet's amplitude each time that it is played again.
const REPEAT_FACTOR: f32 = 0.7;

/// What is played in the place of a lost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concealment {
    /// Nothing.
    Silence,
    /// The last one that came, quieter each time.
    Repeat,
}

/// How packets are lost: each good one may be followed by a burst of lost ones (Gilbert's two states).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PacketLoss {
    /// Share of packets lost in the long run, in [0, 1).
    pub rate: f32,
    /// Mean number of packets lost in a row, at least 1.
    pub burst: f32,
    /// What is heard instead.
    pub concealment: Concealment,
}

/// Loses packets of 20 ms. The first never is, so that there is something to repeat; the length stays.
///
/// # Errors
/// None: what is heard instead is finite.
pub fn lose_packets(waveform: &Waveform, loss: &PacketLoss, seed: u64) -> Result<Waveform, AudioError> {
    let packet = ((PACKET_SECONDS * f64::from(waveform.sample_rate_hz())) as usize).max(1);
    let mut rng = StdRng::seed_from_u64(seed);
    let (rate, burst) = (f64::from(loss.rate.clamp(0.0, 0.99)), f64::from(loss.burst.max(1.0)));
    let begins = (rate / ((1.0 - rate) * burst)).clamp(0.0, 1.0);
    let (mut lost, mut heard) = (false, Vec::new());
    let mut output: Vec<f32> = Vec::with_capacity(waveform.samples().len());
    for (number, samples) in waveform.samples().chunks(packet).enumerate() {
        lost = number > 0 && if lost { !rng.random_bool(1.0 / burst) } else { rng.random_bool(begins) };
        match (lost, loss.concealment) {
            (false, _) => heard = samples.to_vec(),
            (true, Concealment::Silence) => heard = vec![0.0; packet],
            (true, Concealment::Repeat) => heard.iter_mut().for_each(|sample| *sample *= REPEAT_FACTOR),
        }
        output.extend(heard.iter().take(samples.len()));
    }
    super::with_samples(waveform, output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{voice, waveform};

    #[test]
    fn as_many_are_lost_as_was_asked_in_bursts_as_long() {
        let constant = waveform(vec![0.5; 160 * 20_000]);
        let loss = PacketLoss { rate: 0.1, burst: 2.5, concealment: Concealment::Silence };
        let broken = lose_packets(&constant, &loss, 3).unwrap();
        let lost: Vec<bool> = broken.samples().chunks(160).map(|packet| packet[0] == 0.0).collect();
        let count = lost.iter().filter(|lost| **lost).count() as f64;
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        assert!((count / 20_000.0 - 0.1).abs() < 0.01, "{count} lost");
        assert!((count / bursts - 2.5).abs() < 0.2, "{} in a row", count / bursts);
    }

    #[test]
    fn a_lost_packet_is_the_one_before_quieter() {
        let speech = waveform(voice(8_000, 3_250, 1));
        let loss = PacketLoss { rate: 0.5, burst: 1.0, concealment: Concealment::Repeat };
        let broken = lose_packets(&speech, &loss, 1).unwrap();
        assert_eq!(broken.samples().len(), 3_250);
        let packets: Vec<_> = broken.samples().chunks(160).collect();
        let lost = (1..20).filter(|n| packets[*n] != &speech.samples()[n * 160..][..160]).collect::<Vec<_>>();
        assert!(!lost.is_empty());
        for n in lost {
            let quieter: Vec<f32> = packets[n - 1].iter().map(|sample| sample * REPEAT_FACTOR).collect();
            assert_eq!(packets[n], quieter);
        }
    }

    #[test]
    fn a_rate_of_zero_loses_nothing() {
        let speech = waveform(voice(8_000, 1_000, 1));
        let loss = PacketLoss { rate: 0.0, burst: 1.0, concealment: Concealment::Silence };
        assert_eq!(lose_packets(&speech, &loss, 1).unwrap(), speech);
    }
}
