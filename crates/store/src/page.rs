//! A page of a long list.

use serde::Serialize;

/// The most entries of one page.
pub const PAGE_SIZE_MAX: u32 = 500;

/// One page, in the envelope of REST.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// Entries on all pages.
    pub total: u64,
    /// Number of this page, from 1.
    pub page: u32,
    /// The most entries of a page.
    pub page_size: u32,
    /// The entries of this page.
    pub data: Vec<T>,
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1; 0 counts as 1.
    pub page: u32,
    /// Entries of a page, 1 to [`PAGE_SIZE_MAX`]; more or fewer count as the nearest of these.
    pub count: u32,
}

impl PageRequest {
    /// The request within its bounds.
    pub(crate) fn bounded(self) -> PageRequest {
        PageRequest { page: self.page.max(1), count: self.count.clamp(1, PAGE_SIZE_MAX) }
    }

    /// Entries before this page.
    pub(crate) fn offset(self) -> i64 {
        (i64::from(self.page) - 1) * i64::from(self.count)
    }
}
