"""What people get to see of an invoice or a report: pictures, files for spreadsheets."""
