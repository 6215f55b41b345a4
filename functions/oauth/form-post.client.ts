// Script of the page that posts the response to the client. The page has a single form.
document.querySelector('form')?.submit()
