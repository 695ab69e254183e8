//! Which examples an epoch shows, and in which order.

use std::collections::BTreeMap;

use emotone::model::Emotion;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::Examples;

/// Places of the examples of one epoch. With a limit, speakers who have more give as many together, and of each emotion as
/// many, by chance; so a corpus of two people with a thousand clips each does not drown one of twenty with sixty.
pub fn epoch_order(examples: &Examples, most_of_talkers: Option<usize>, random: &mut StdRng) -> Vec<u32> {
    let mut order: Vec<u32> = match most_of_talkers {
        None => examples.places().collect(),
        Some(most) => {
            let mut speakers: BTreeMap<u32, BTreeMap<Emotion, Vec<u32>>> = BTreeMap::new();
            for (place, clip) in examples.places().zip(&examples.clips) {
                let emotions = speakers.entry(examples.dataset.spoken_by(*clip)).or_default();
                emotions.entry(examples.dataset.emotion(*clip)).or_default().push(place);
            }
            let talks = |emotions: &BTreeMap<Emotion, Vec<u32>>| emotions.values().map(Vec::len).sum::<usize>() > most;
            let talkers = speakers.values().filter(|emotions| talks(emotions)).count();
            let share = most.div_ceil(talkers.max(1));
            let all = |emotions: BTreeMap<Emotion, Vec<u32>>| emotions.into_values().flatten().collect();
            let own = |emotions| if talks(&emotions) { limited(emotions, share, random) } else { all(emotions) };
            speakers.into_values().flat_map(own).collect()
        }
    };
    order.shuffle(random);
    order
}

fn limited(emotions: BTreeMap<Emotion, Vec<u32>>, most: usize, random: &mut StdRng) -> Vec<u32> {
    let share = most.div_ceil(emotions.len());
    let mut chosen: Vec<u32> = emotions
        .into_values()
        .flat_map(|mut places| {
            places.shuffle(random);
            places.truncate(share);
            places
        })
        .collect();
    chosen.shuffle(random);
    chosen.truncate(most);
    chosen
}
