//! Files elsewhere, which here are byte slices: steps a session and moves what it asks for.

use pagevec::{
    Answer, Error, Extent, HEAD, IndexChoice, Operation, Outcome, PositionSet, SearchOptions, Segment,
    Session, SessionOptions, Stepped, front_length,
};

/// What an operation moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) bytes: u64,
    pub(crate) requests: u64,
    pub(crate) waves: u64,
}

/// A session, and the whole files that its requests are answered from.
pub(crate) struct Remote<'a> {
    pub(crate) session: Session,
    pub(crate) files: Vec<&'a [u8]>,
    pub(crate) budget: u64,
}

impl<'a> Remote<'a> {
    pub(crate) fn open(file: &'a [u8], budget: u64) -> Result<Self, Error> {
        let session = Session::new(segment(file)?, &SessionOptions::new(budget))?;
        Ok(Remote { session, files: vec![file], budget })
    }

    /// An index of several segments, each with its dead rows.
    pub(crate) fn of_segments(
        segments: &[(&'a [u8], Option<PositionSet>)],
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let files = segments.iter().map(|(file, _)| *file).collect();
        let open = |(file, dead): &(&'a [u8], Option<PositionSet>)| Ok((segment(file)?, dead.clone()));
        let opened = segments.iter().map(open).collect::<Result<_, Error>>()?;
        let session = Session::of_segments(opened, options)?;
        Ok(Remote { session, files, budget: options.memory_budget })
    }

    /// With the budget laid out for walking the graph node by node.
    pub(crate) fn walking(file: &'a [u8], budget: u64) -> Result<Self, Error> {
        let session = Session::new(segment(file)?, &SessionOptions::new(budget).index(IndexChoice::Hnsw))?;
        Ok(Remote { session, files: vec![file], budget })
    }

    /// Runs one operation to its end while no other is under way.
    pub(crate) fn run(&mut self, operation: Operation) -> Result<(Outcome, Cost), Error> {
        let ticket = self.session.begin(operation)?;
        let mut cost = Cost::default();
        loop {
            assert!(cost.waves < 10_000, "an operation without an end");
            match self.session.step(ticket)? {
                Stepped::Done(outcome) => return Ok((outcome, cost)),
                Stepped::Wait => panic!("waiting for room that nobody else holds"),
                Stepped::Need(extents) => {
                    assert!(!extents.is_empty(), "a need of nothing");
                    let apart = |pair: &[Extent]| pair[0].end() <= pair[1].offset;
                    assert!(extents.windows(2).all(apart), "needs that overlap: {extents:?}");
                    cost.waves += 1;
                    for extent in extents {
                        cost.requests += 1;
                        cost.bytes += extent.length;
                        if let Err(error) = self.deliver(extent) {
                            self.session.cancel(ticket);
                            return Err(error);
                        }
                    }
                }
            }
            let resident = self.session.stats().resident;
            assert!(resident <= self.budget, "{resident} bytes are held, {} allowed", self.budget);
        }
    }

    /// Moves one extent from the file.
    pub(crate) fn deliver(&mut self, extent: Extent) -> Result<(), Error> {
        let mut files = self.session.segments().map(|(_, base, _)| base).zip(&self.files).rev();
        let (base, file) = files.find(|(base, _)| *base <= extent.offset).expect("the first begins at 0");
        let bytes = file.get((extent.offset - base) as usize..(extent.end() - base) as usize);
        drop(files);
        self.session.deliver(extent, bytes.expect("a request inside the file")).map(drop)
    }

    pub(crate) fn search(&mut self, query: &[f32], o: &SearchOptions) -> Result<(Answer, Cost), Error> {
        let operation = Operation::Search { queries: query.to_vec(), options: o.clone() };
        match self.run(operation)? {
            (Outcome::Answers(mut answers), cost) => Ok((answers.remove(0), cost)),
            other => panic!("{other:?} is no answer"),
        }
    }
}

/// Opens a file from its front alone.
pub(crate) fn segment(file: &[u8]) -> Result<Segment, Error> {
    let length = file.len() as u64;
    let front = front_length(&file[..length.min(HEAD) as usize], length)?;
    Segment::open(file.get(..front as usize).expect("the front lies in the file"), length)
}

/// The smallest budget the session names as enough.
pub(crate) fn least_budget(file: &[u8]) -> u64 {
    match Remote::open(file, 0).err() {
        Some(Error::Budget { needed, budget: 0 }) => needed,
        other => panic!("a budget of 0 gave {other:?}"),
    }
}

/// Hits alone: what a source must not change.
pub(crate) fn hits(answer: &Answer) -> Vec<(u32, String, u32)> {
    answer.hits.iter().map(|h| (h.position, h.id.to_string(), h.score.to_bits())).collect()
}

/// The smallest budget in which the graph is walked node by node.
pub(crate) fn least_walk(file: &[u8]) -> u64 {
    match Remote::walking(file, 0).err() {
        Some(Error::Budget { needed, .. }) => needed,
        other => panic!("a budget of 0 gave {other:?}"),
    }
}
